// A program of a single instance, made with GApplication.
//
//   launch primary -        is the first instance, and says "ready"
//   launch launch - ARG...  is a second one
//
// The exit code of a second one is the number of its arguments behind "-", and one.
#include <gio/gio.h>
#include <stdio.h>
#include <string.h>

static int on_command_line(GApplication *app, GApplicationCommandLine *line, gpointer data)
{
    (void)app;
    (void)data;
    int argc;
    char **argv = g_application_command_line_get_arguments(line, &argc);
    gboolean first = argc > 1 && strcmp(argv[1], "primary") == 0;
    g_strfreev(argv);
    if (first) {
        puts("ready");
        fflush(stdout);
    }
    return argc - 2;
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "version") == 0) {
        printf("GLib %u.%u.%u\n", glib_major_version, glib_minor_version, glib_micro_version);
        return 0;
    }
    GApplication *app = g_application_new("com.example.perf", G_APPLICATION_HANDLES_COMMAND_LINE);
    g_signal_connect(app, "command-line", G_CALLBACK(on_command_line), NULL);
    if (argc > 1 && strcmp(argv[1], "primary") == 0)
        g_application_hold(app);
    int status = g_application_run(app, argc, argv);
    g_object_unref(app);
    return status;
}
