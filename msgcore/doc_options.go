// # Options of libzmq
//
// Where each socket option of libzmq 4.3.5, drafts included, has gone. Times are
// of type time.Duration here, and negative for what libzmq has -1 for.
//
//	ZMQ_AFFINITY                           none: there are no I/O threads to choose among
//	ZMQ_BACKLOG                            Options.Transport.Backlog
//	ZMQ_BINDTODEVICE                       Options.Transport.Interface
//	ZMQ_BUSY_POLL                          none for the kernel's; Options.Spin does it in the program
//	ZMQ_CONFLATE                           Options.Conflate
//	ZMQ_CONNECT_ROUTING_ID                 Socket.ConnectAs
//	ZMQ_CONNECT_TIMEOUT                    Options.ConnectTimeout
//	ZMQ_CURVE_PUBLICKEY                    Options.Mechanism: curve.Client; it follows from the secret key
//	ZMQ_CURVE_SECRETKEY                    Options.Mechanism: curve.Client, curve.Server
//	ZMQ_CURVE_SERVER                       Options.Mechanism: curve.Server
//	ZMQ_CURVE_SERVERKEY                    Options.Mechanism: curve.Client
//	ZMQ_DISCONNECT_MSG                     Options.Disconnected
//	ZMQ_EVENTS                             Socket.TryRecv, Socket.TrySend; Poller for several sockets
//	ZMQ_FD                                 none: wait in Socket.Recv, with a context, or in a Poller
//	ZMQ_GSSAPI_PLAINTEXT                   none: there is no GSSAPI; Options.Mechanism takes one
//	ZMQ_GSSAPI_PRINCIPAL                   none: likewise
//	ZMQ_GSSAPI_PRINCIPAL_NAMETYPE          none: likewise
//	ZMQ_GSSAPI_SERVER                      none: likewise
//	ZMQ_GSSAPI_SERVICE_PRINCIPAL           none: likewise
//	ZMQ_GSSAPI_SERVICE_PRINCIPAL_NAMETYPE  none: likewise
//	ZMQ_HANDSHAKE_IVL                      Options.Handshake
//	ZMQ_HEARTBEAT_IVL                      Options.Heartbeat.Interval
//	ZMQ_HEARTBEAT_TIMEOUT                  Options.Heartbeat.Timeout
//	ZMQ_HEARTBEAT_TTL                      Options.Heartbeat.TTL
//	ZMQ_HELLO_MSG                          Options.Hello
//	ZMQ_HICCUP_MSG                         Options.Hiccup
//	ZMQ_IMMEDIATE                          Options.Immediate
//	ZMQ_INVERT_MATCHING                    Options.InvertMatching
//	ZMQ_IN_BATCH_SIZE                      none: buffers grow with what comes
//	ZMQ_IPC_FILTER_GID                     Options.Transport.Credentials, and Options.Authorize
//	ZMQ_IPC_FILTER_PID                     likewise
//	ZMQ_IPC_FILTER_UID                     likewise
//	ZMQ_IPV4ONLY                           Options.Transport.IPVersion: 4
//	ZMQ_IPV6                               Options.Transport.IPVersion; by default names and * take both versions, as the option 1 there
//	ZMQ_LAST_ENDPOINT                      the result of Socket.Bind
//	ZMQ_LINGER                             Options.Linger, with another default; Socket.Shutdown
//	ZMQ_LOOPBACK_FASTPATH                  none: Windows has given it up
//	ZMQ_MAXMSGSIZE                         Options.MaxMessage
//	ZMQ_MECHANISM                          Options.Mechanism
//	ZMQ_METADATA                           Options.Metadata; PeerInfo.Properties is what the peer says
//	ZMQ_MULTICAST_HOPS                     Options.Transport.MulticastTTL
//	ZMQ_MULTICAST_LOOP                     Options.Transport.MulticastNoLoop, the other way round
//	ZMQ_MULTICAST_MAXTPDU                  Options.Transport.MaxPacket
//	ZMQ_NORM_BLOCK_SIZE                    none: there is no norm:// transport
//	ZMQ_NORM_BUFFER_SIZE                   none: likewise
//	ZMQ_NORM_MODE                          none: likewise
//	ZMQ_NORM_NUM_AUTOPARITY                none: likewise
//	ZMQ_NORM_NUM_PARITY                    none: likewise
//	ZMQ_NORM_PUSH                          none: likewise
//	ZMQ_NORM_SEGMENT_SIZE                  none: likewise
//	ZMQ_NORM_UNICAST_NACK                  none: likewise
//	ZMQ_ONLY_FIRST_SUBSCRIBE               none: always so; without it libzmq tears messages of several frames apart
//	ZMQ_OUT_BATCH_SIZE                     none: what gathers while one write is under way is the next
//	ZMQ_PLAIN_PASSWORD                     Options.Mechanism: zmtp.PlainClient
//	ZMQ_PLAIN_SERVER                       Options.Mechanism: zmtp.PlainServer, with Options.Authorize
//	ZMQ_PLAIN_USERNAME                     Options.Mechanism: zmtp.PlainClient
//	ZMQ_PRIORITY                           Options.Transport.Priority, on Linux
//	ZMQ_PROBE_ROUTER                       Options.ProbeRouter
//	ZMQ_RATE                               Options.Transport.MulticastRate
//	ZMQ_RCVBUF                             Options.Transport.RecvBuffer
//	ZMQ_RCVHWM                             Options.RecvHWM, and Options.RecvBytes
//	ZMQ_RCVMORE                            none: Msg.Frames has all frames
//	ZMQ_RCVTIMEO                           none: the context of Socket.Recv
//	ZMQ_RECONNECT_IVL                      Options.Reconnect.Interval
//	ZMQ_RECONNECT_IVL_MAX                  Options.Reconnect.Max
//	ZMQ_RECONNECT_STOP                     Options.Reconnect.Stop, and Options.Reconnect.Refused; Disconnect always stops
//	ZMQ_RECOVERY_IVL                       Options.Transport.MulticastRecovery
//	ZMQ_REQ_CORRELATE                      Options.Req.Correlate
//	ZMQ_REQ_RELAXED                        Options.Req.Relaxed
//	ZMQ_ROUTER_HANDOVER                    Options.Router.Handover
//	ZMQ_ROUTER_MANDATORY                   Options.Router.Mandatory
//	ZMQ_ROUTER_NOTIFY                      Options.Router.Notify
//	ZMQ_ROUTER_RAW                         Options.Router.Raw
//	ZMQ_ROUTING_ID                         Options.RoutingID
//	ZMQ_SNDBUF                             Options.Transport.SendBuffer
//	ZMQ_SNDHWM                             Options.SendHWM, and Options.SendBytes
//	ZMQ_SNDTIMEO                           none: the context of Socket.Send
//	ZMQ_SOCKS_PASSWORD                     Options.Transport.Proxy.Password
//	ZMQ_SOCKS_PROXY                        Options.Transport.Proxy.Addr
//	ZMQ_SOCKS_USERNAME                     Options.Transport.Proxy.User
//	ZMQ_STREAM_NOTIFY                      Options.Stream.Quiet, the other way round
//	ZMQ_SUBSCRIBE                          Socket.Subscribe
//	ZMQ_TCP_ACCEPT_FILTER                  Options.Authorize, which knows the address
//	ZMQ_TCP_KEEPALIVE                      Options.Transport.KeepAlive
//	ZMQ_TCP_KEEPALIVE_CNT                  Options.Transport.KeepAlive.Count
//	ZMQ_TCP_KEEPALIVE_IDLE                 Options.Transport.KeepAlive.Idle
//	ZMQ_TCP_KEEPALIVE_INTVL                Options.Transport.KeepAlive.Interval
//	ZMQ_TCP_MAXRT                          Options.Transport.MaxRetransmit, on Linux
//	ZMQ_THREAD_SAFE                        none: every Socket is
//	ZMQ_TOPICS_COUNT                       Socket.Topics
//	ZMQ_TOS                                Options.Transport.TrafficClass
//	ZMQ_TYPE                               Socket.Type
//	ZMQ_UNSUBSCRIBE                        Socket.Unsubscribe
//	ZMQ_USE_FD                             Socket.BindListener and Socket.ConnectConn
//	ZMQ_VMCI_BUFFER_MAX_SIZE               none: there is no vmci:// transport
//	ZMQ_VMCI_BUFFER_MIN_SIZE               none: likewise
//	ZMQ_VMCI_BUFFER_SIZE                   none: likewise
//	ZMQ_VMCI_CONNECT_TIMEOUT               none: likewise
//	ZMQ_WSS_CERT_PEM                       none: there is no ws:// or wss:// transport
//	ZMQ_WSS_HOSTNAME                       none: likewise
//	ZMQ_WSS_KEY_PEM                        none: likewise
//	ZMQ_WSS_TRUST_PEM                      none: likewise
//	ZMQ_WSS_TRUST_SYSTEM                   none: likewise
//	ZMQ_XPUB_MANUAL                        Options.Pub.Manual
//	ZMQ_XPUB_MANUAL_LAST_VALUE             Options.Pub.ManualLastValue
//	ZMQ_XPUB_NODROP                        Options.Pub.NoDrop
//	ZMQ_XPUB_VERBOSE                       Options.Pub.Verbose
//	ZMQ_XPUB_VERBOSER                      Options.Pub.Verboser
//	ZMQ_XPUB_WELCOME_MSG                   Options.Welcome
//	ZMQ_XSUB_VERBOSE_UNSUBSCRIBE           Options.Sub.VerboseUnsubscribe
//	ZMQ_ZAP_DOMAIN                         ZAPOptions.Domain
//	ZMQ_ZAP_ENFORCE_DOMAIN                 none: an authorizer by ZAPAuthorizer always asks
//
// And its options of a context:
//
//	ZMQ_BLOCKY                             none: there is no context; Socket.Close is bounded by Options.Linger
//	ZMQ_IO_THREADS                         none: goroutines do it
//	ZMQ_IPV6                               Options.Transport.IPVersion
//	ZMQ_MAX_MSGSZ                          Options.MaxMessage
//	ZMQ_MAX_SOCKETS                        none: memory is the limit
//	ZMQ_MSG_T_SIZE                         none: a Msg has no size that anybody needs
//	ZMQ_SOCKET_LIMIT                       none: as MAX_SOCKETS
//	ZMQ_THREAD_AFFINITY_CPU_ADD            none: there are no threads of its own
//	ZMQ_THREAD_AFFINITY_CPU_REMOVE         none: likewise
//	ZMQ_THREAD_NAME_PREFIX                 none: likewise
//	ZMQ_THREAD_PRIORITY                    none: likewise
//	ZMQ_THREAD_SCHED_POLICY                none: likewise
//	ZMQ_ZERO_COPY_RECV                     none: always so
package msgcore
