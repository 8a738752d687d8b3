package main

// help is what spool -h prints.
const help = `spool - run commands one after the other, in a queue that all your terminals share

    spool [flags] -- COMMAND [ARG...]      run a command in its turn, as if typed here
    spool [flags] -d -- COMMAND [ARG...]   enqueue it, print its id, return at once
    spool list [-json]                     all jobs: waiting, running and the last that ended
    spool cat [-f] ID                      what job ID has written; -f: and what it goes on to write
    spool wait ID                          wait for the end of job ID, exit with its code
    spool kill ID                          end job ID, or take it out of the queue
    spool watch                            follow the queue live
    spool stop                             end the running jobs and the queue

Flags, before or after the verb:

    -slots N   run N jobs at once (1 at first)
    -idle D    the queue ends after D without work (10s at first; below 0: never)
    -name ID   another queue, with its own jobs and settings ("default" if not given)
    -n         the job's input is empty: for loops that read their own input
    -v         say on standard error which process runs the queue, and the job's id

-slots and -idle change the queue from then on; "spool -slots 4" does only that.

Try it. In one terminal:

    $ spool -- sh -c 'echo started; sleep 20; echo done'

and while that runs, in another:

    $ tar cz ~/Documents | spool -- wc -c      # waits for its turn, then counts
    $ id=$(spool -d -- make -C ~/src/project)  # waits too, but you can go on
    $ spool list
    $ spool wait $id || spool cat $id

A job has the directory, the environment and the umask of the spool that was typed,
and its input and output are that spool's. Ctrl-C there interrupts that job and no
other, a second one terminates it, a third kills it; so does the end of that spool or
its terminal. A job whose output nobody takes for a second lends its slot to the next.
A job has no terminal of its own, and limits (ulimit) and nice value are the queue's. It
is over when its first process is. Its input is read once it has run for 0.1 seconds, so
that "while read x; do spool -- true; done" works; for longer jobs in such a loop, -n.

The output of a -d job goes to a file. Files are kept in $XDG_STATE_HOME/spool/NAME
(~/.local/state/spool/NAME), readable by you alone, for the last 200 jobs of each kind.
list, cat and wait need no running queue. The first spool starts the queue, in the
background; ids go on from queue to queue.

No job is run twice. If the queue is killed, its running jobs are ended and shown as
"lost", because how far they came is unknown, and every waiting spool says so. A job
enqueued with -d that was not started yet stays enqueued: the next queue runs it, which
the next "spool --", "spool -d" or "spool wait" starts. The same holds for spool stop.

Exit codes: the job's own; 128+n if signal n ended it; 127 if the command is not found,
126 if it cannot be executed; 125 if spool failed or the job's fate is unknown; 2 for
wrong usage; 1 if another verb failed.

Windows: jobs have no signals and no umask, ending a job kills its first process only,
and the jobs of a queue that is killed go on.
`
