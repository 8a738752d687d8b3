package auth

// Hashing is the places of those that hash.
var Hashing = hashing

// Users parses a file of users and returns how many there are.
func Users(text string) (int, error) {
	m, err := parseUsers(text)
	return len(m), err
}
