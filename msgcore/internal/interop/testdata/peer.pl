use strict;
use warnings;
use ZMQ::FFI;
use ZMQ::FFI::Constants ();

my $context = ZMQ::FFI->new();
my @sockets;
while (my ($type, $method, $endpoint) = splice @ARGV, 0, 3) {
    my $s = $context->socket(ZMQ::FFI::Constants->can("ZMQ_$type")->());
    $s->subscribe('') if $type eq 'SUB';
    $s->$method($endpoint);
    push @sockets, $s;
}
while (1) {
    my @m = $sockets[0]->recv_multipart();
    for my $s (@sockets[1 .. $#sockets - 1]) {
        $s->send_multipart(\@m);
        @m = $s->recv_multipart();
    }
    $sockets[-1]->send_multipart(\@m);
}
