internal import CSandbox
internal import Glibc

/// Starts programs with nothing inherited but three descriptors.
enum ProgramStart {
    /// Starts one and gives 0 or a negative error number.
    static func start(
        _ arguments: [String], environment: [String], input: Int32, output: Int32, error: Int32,
        ownSession: Bool, _ process: inout pid_t
    ) -> Int32 {
        let argv = arguments.map { strdup($0) } + [nil]
        let envp = environment.map { strdup($0) } + [nil]
        defer { for text in argv + envp { free(text) } }
        return danube_program_start(
            argv, envp, input, output, error, ownSession ? 1 : 0, &process)
    }
}
