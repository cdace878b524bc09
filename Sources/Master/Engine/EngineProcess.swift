internal import CSandbox
internal import Glibc

/// Starts engines. An engine has a session of its own and outlives the master; what becomes of it
/// is asked of its journal.
struct EngineProcess: Sendable {
    /// The program `danube`.
    let program: String
    /// What an engine is started with, as `NAME=value`: nothing of the master's own.
    let environment: [String]
    /// What forks them.
    let host: EngineHost

    init(program: String, cache: String, environment: [String]) {
        self.program = program
        self.environment = environment
        host = EngineHost(program: program, cache: cache, environment: environment)
    }

    /// An engine that was started.
    struct Started: Sendable {
        var process: pid_t
        /// Whether it is a child of this process, which has to take its exit status.
        var isChild: Bool
    }

    /// Where what an engine says of itself is kept, in the job's folder.
    static let errorName = "engine.err"

    /// Starts the engine of a job in its folder, and hands it the secrets as an object of JSON. If
    /// it comes to run only when a later master has claimed the job, it does nothing.
    func start(folder: String, secrets: [UInt8]) throws(EngineError) -> Started {
        let error = open(
            "\(folder)/\(Self.errorName)", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW,
            0o600)
        guard error >= 0 else { throw .system("write", path: folder, errno: errno) }
        defer { close(error) }
        // In memory, so that no secret touches a disk and nobody waits for a reader.
        let input = danube_memory_file(secrets, secrets.count)
        guard input >= 0 else {
            throw .system("make", path: "a memory file", errno: -input)
        }
        defer { close(input) }
        let journal = try JournalReader(folder: folder, offset: 0).size()
        if let process = try host.start(
            folder: folder, journal: journal, input: input, error: error)
        {
            return Started(process: process, isChild: false)
        }
        var process: pid_t = 0
        let status = ProgramStart.start(
            [program, "engine", "--journal=\(journal)", folder], environment: environment,
            input: input, output: error,
            error: error, ownSession: true, &process)
        guard status == 0 else { throw .system("start", path: program, errno: -status) }
        return Started(process: process, isChild: true)
    }

    /// Whether a child still runs. One that has ended is taken, once.
    static func isAlive(_ process: pid_t) -> Bool {
        var status: Int32 = 0
        return waitpid(process, &status, WNOHANG) == 0
    }
}
