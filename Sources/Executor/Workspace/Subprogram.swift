internal import CSandbox
internal import Glibc

/// Runs a program of this machine, such as git, to its end and takes what it writes.
enum Subprogram {
    /// The most bytes that a program may write.
    static let mostBytes = 1 << 30

    /// What a program gave.
    struct Result {
        var code: Int32
        var output: [UInt8]
    }

    /// Runs a program in a folder with `input` to read, and a plain environment if none is given;
    /// what it says of errors is dropped.
    static func run(
        _ arguments: [String], in folder: String, input: [UInt8] = [],
        environment variables: [String]? = nil
    ) throws(RunnerError) -> Result {
        let pipe = try Pipe()
        let nothing = open("/dev/null", O_RDWR | O_CLOEXEC)
        defer { close(nothing) }
        let given = danube_memory_file(input, input.count)
        if given < 0 { throw .system("memfd_create", errno: -given) }
        defer { close(given) }
        let path = StepEnvironment(temporary: "/tmp").path
        let words = CStrings(arguments)
        let plain = [
            "PATH=\(path)", "LC_ALL=C", "GIT_OPTIONAL_LOCKS=0", "GIT_TERMINAL_PROMPT=0",
            "HOME=\(StepEnvironment(temporary: "/tmp").home)",
        ]
        let environment = CStrings(variables ?? plain)
        var pid: pid_t = 0
        var handle: Int32 = -1
        var failed: Int32 = 0
        let status = path.withCString { search in
            folder.withCString { folder in
                var step = danube_step(
                    arguments: words.pointers, environment: environment.pointers, search: search,
                    folder: folder, input: given, output: pipe.writing, error: nothing,
                    script: -1, source: nil, view: nil)
                return danube_step_start(&step, &pid, &handle, &failed)
            }
        }
        if status < 0 { throw .program(arguments.first ?? "", errno: -status) }
        defer { close(handle) }
        pipe.closeWriting()
        let output = read(pipe.reading)
        var ended: Int32 = 0
        while waitpid(pid, &ended, 0) < 0, errno == EINTR {}
        let signal = danube_status_signal(ended)
        return Result(code: signal != 0 ? 128 + signal : danube_status_code(ended), output: output)
    }

    private static func read(_ file: Int32) -> [UInt8] {
        var output: [UInt8] = []
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
        defer { buffer.deallocate() }
        while output.count < mostBytes {
            let count = Glibc.read(file, buffer.baseAddress, buffer.count)
            if count < 0, errno == EINTR { continue }
            if count <= 0 { break }
            output.append(contentsOf: buffer[..<count])
        }
        return output
    }
}
