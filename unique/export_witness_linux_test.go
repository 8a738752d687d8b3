package unique

func witnessNameOf(s *site) string { return witnessName(s) }
