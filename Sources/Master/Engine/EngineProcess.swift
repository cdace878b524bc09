internal import Glibc

/// Starts engines. An engine has a session of its own and outlives the master; what becomes of it
/// is asked of its journal.
struct EngineProcess: Sendable {
    /// The program `danube`.
    let program: String
    /// What an engine is started with, as `NAME=value`: nothing of the master's own.
    let environment: [String]

    /// Where what an engine says of itself is kept, in the job's folder.
    static let errorName = "engine.err"

    /// Starts the engine of a job in its folder, and hands it the secrets as an object of JSON.
    func start(folder: String, secrets: [UInt8]) throws(EngineError) -> pid_t {
        let error = open(
            "\(folder)/\(Self.errorName)", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW,
            0o600)
        guard error >= 0 else { throw .system("write", path: folder, errno: errno) }
        defer { close(error) }
        // In memory, so that no secret touches a disk and nobody waits for a reader.
        let input = memfd_create("danube-secrets", UInt32(MFD_CLOEXEC))
        guard input >= 0 else { throw .system("make", path: "a memory file", errno: errno) }
        defer { close(input) }
        let written = secrets.withUnsafeBytes { write(input, $0.baseAddress, $0.count) }
        guard written == secrets.count, lseek(input, 0, SEEK_SET) == 0 else {
            throw .system("write", path: "a memory file", errno: errno)
        }
        return try spawn(folder, input: input, error: error)
    }

    private func spawn(
        _ folder: String, input: Int32, error: Int32
    ) throws(EngineError) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, input, 0)
        posix_spawn_file_actions_adddup2(&actions, error, 1)
        posix_spawn_file_actions_adddup2(&actions, error, 2)
        // Descriptors that some library opened without saying that they are its own.
        posix_spawn_file_actions_addclosefrom_np(&actions, 3)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        var all = sigset_t()
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID))
        var argv = [program, "engine", folder].map { strdup($0) } + [nil]
        var envp = environment.map { strdup($0) } + [nil]
        defer { for text in argv + envp { free(text) } }
        var process: pid_t = 0
        let status = posix_spawn(&process, program, &actions, &attributes, &argv, &envp)
        guard status == 0 else { throw .system("start", path: program, errno: status) }
        return process
    }

    /// Takes the exit status of an engine that has ended, so that it leaves no trace.
    static func reap(_ process: pid_t) {
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
    }
}
