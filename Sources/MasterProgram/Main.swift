import Master

/// `danube-master`: the daemon, which `danube master` executes.
@main
enum MasterProgram {
    static func main() async {}
}
