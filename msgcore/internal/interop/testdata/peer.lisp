(load-shared-object "libzmq.so.5")
(defmacro zmq (name result &rest typed)
  `(alien-funcall (extern-alien ,name (function ,result ,@(mapcar #'first typed))) ,@(mapcar #'second typed)))
(defun check (rc) (when (minusp rc) (error "~a" (zmq "zmq_strerror" c-string (int (zmq "zmq_errno" int))))) rc)
(defvar *types* '("PAIR" "PUB" "SUB" "REQ" "REP" "DEALER" "ROUTER" "PULL" "PUSH"))
(defvar *context* (zmq "zmq_ctx_new" system-area-pointer))
(defvar *frames* (loop repeat 16 collect (alien-sap (make-alien (unsigned 64) 8)))) ; each a zmq_msg_t
(defun make-socket (type method endpoint)
  (let ((s (zmq "zmq_socket" system-area-pointer (system-area-pointer *context*) (int (position type *types* :test #'string=)))))
    (when (string= type "SUB") (check (zmq "zmq_setsockopt" int (system-area-pointer s) (int 6) (c-string "") (unsigned-long 0))))
    (check (if (string= method "bind")
               (zmq "zmq_bind" int (system-area-pointer s) (c-string endpoint))
               (zmq "zmq_connect" int (system-area-pointer s) (c-string endpoint))))
    s))
(defun pass (from to) ; a message, which is of less than 16 frames
  (let ((frames (loop for frame in *frames*
                      do (zmq "zmq_msg_init" int (system-area-pointer frame))
                         (check (zmq "zmq_msg_recv" int (system-area-pointer frame) (system-area-pointer from) (int 0)))
                      collect frame
                      until (zerop (zmq "zmq_msg_more" int (system-area-pointer frame))))))
    (loop for (frame . more) on frames
          do (check (zmq "zmq_msg_send" int (system-area-pointer frame) (system-area-pointer to) (int (if more 2 0)))))))
(let ((s (loop for (type method endpoint) on (cdr (member "--" *posix-argv* :test #'string=)) by #'cdddr
               collect (make-socket type method endpoint))))
  (loop (if (cdr s)
            (loop for (from to) on s while to do (pass from to))
            (pass (car s) (car s)))))
