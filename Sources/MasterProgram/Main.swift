internal import Glibc
internal import Master

/// `danube-master`: the daemon, which `danube master` executes.
@main
enum Main {
    static func main() async {
        signal(SIGPIPE, SIG_IGN)
        exit(await MasterProgram.run(arguments: Array(CommandLine.arguments.dropFirst())))
    }
}
