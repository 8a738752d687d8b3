<?php
$context = new ZMQContext();
$sockets = [];
foreach (array_chunk(array_slice($argv, 1), 3) as [$type, $method, $endpoint]) {
	$s = new ZMQSocket($context, constant("ZMQ::SOCKET_$type"));
	if ($type == "SUB") {
		$s->setSockOpt(ZMQ::SOCKOPT_SUBSCRIBE, "");
	}
	$s->$method($endpoint);
	$sockets[] = $s;
}
$last = count($sockets) - 1;
while (true) {
	$m = $sockets[0]->recvMulti();
	for ($i = 1; $i < $last; $i++) {
		$m = $sockets[$i]->sendMulti($m)->recvMulti();
	}
	$sockets[$last]->sendMulti($m);
}
