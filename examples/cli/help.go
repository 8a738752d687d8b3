package main

// help is what spool -h prints.
const help = `spool - run commands in turn, in a queue that all your terminals share

    spool [flags] -- COMMAND [ARG...]     run a command in its turn, as if here
    spool [flags] -d -- COMMAND [ARG...]  enqueue it, print its id, return at once
    spool list [-json]                    jobs that wait, run or have ended
    spool cat [-f] ID                     what job ID has written; -f: and will
    spool wait ID                         wait for job ID, exit with its code
    spool kill ID                         end job ID, or take it out of the queue
    spool watch                           follow the queue live
    spool status                          who runs the queue, and since when
    spool where                           which files it uses, and why these
    spool -replace                        let this spool take over as the queue
    spool stop                            end the running jobs and the queue

Flags, before or after the verb:

    -slots N   run N jobs at once; 1 at first
    -idle D    the queue ends after D without work; 10s at first, below 0: never
    -name ID   another queue, with its own jobs and settings
    -n         the job's input is empty: for loops that read their own input
    -v         say on standard error who runs the queue, the job's id, and how
               many jobs are before it

-slots and -idle change the queue from then on; "spool -slots 4" does only that.

Try it. In one terminal:

    $ spool -- sh -c 'echo started; sleep 20; echo done'

and while that runs, in another:

    $ tar cz ~/Documents | spool -- wc -c      # waits for its turn, then counts
    $ id=$(spool -d -- make -C ~/src/project)  # waits, too, but you can go on
    $ spool list
    $ spool wait $id || spool cat $id

A job has the directory, the environment and the umask of the spool that was
typed; its input and output are that spool's. Ctrl-C there interrupts that job
and no other; a second one terminates it, a third kills it, a fourth does not
wait for that. If that spool or its terminal ends, so does the job. A job whose
output nobody takes for a second lends its slot to the next. Jobs have no
terminal of their own, but LINES and COLUMNS tell the size of that spool's, and
SIGWINCH that it has changed. Their limits (ulimit) and nice value are the queue's, and
each is over when its first process is. A job's input is read once it has run
for 0.1 seconds, so that short ones leave it alone in "while read x; do spool --
...; done"; for longer ones, -n.

Jobs enqueued with -d have an empty input, and a file for their output. Files
are in $XDG_STATE_HOME/spool/NAME (~/.local/state/spool/default), for you alone
to read: those of the last 200 jobs that were enqueued with -d, and of the last
200 that were not. list, cat and wait need no running queue. Whichever spool
comes first starts the queue in the background; ids go on from queue to queue.

No job is run twice. If the queue is killed, its running jobs are ended and shown
as "lost", because how far they came is unknown, and every spool that waits says
so. Jobs enqueued with -d that were not started yet stay enqueued: the next queue
runs them, as soon as a job or "spool wait" starts one. So it is with spool stop.
-replace, after an update for example, ends no job: those that run, and those that
a spool waits for, end in the old queue. No job with -d is begun there any more; those
and all that comes in between are for the new one, which has the same settings,
also those that change meanwhile.

Exit codes: the job's own; 128+n if signal n ended it; 127 if its command is not
found, 126 if that cannot be executed; 125 if spool failed or the job's fate is
unknown; 2 for wrong usage; 1 if another verb failed.

On Windows a job has no signals and no umask: ending it kills its first process
only, and a job goes on when its queue is killed.
`
