import Glibc
import Testing

/// Runs the system's Python once with a script and its input, and gives what it prints.
enum PythonProcess {
    static func run(_ script: String, input: String) throws -> String {
        var template = Array("/tmp/danube-python-XXXXXX".utf8CString)
        let inputFile = mkstemp(&template)
        try #require(inputFile >= 0)
        defer { close(inputFile) }
        // The file lives as long as it is open.
        _ = template.withUnsafeBufferPointer { $0.baseAddress.map { unlink($0) } }
        let bytes = Array(input.utf8)
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes {
                write(inputFile, $0.baseAddress, $0.count)
            }
            try #require(count > 0)
            written += count
        }
        lseek(inputFile, 0, SEEK_SET)
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, inputFile, 0)
        posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
        posix_spawn_file_actions_addclose(&actions, ends[0])
        let words: [String] = ["python3", "-I", "-S", "-X", "utf8", "-c", script]
        var argv = words.map { strdup($0) } + [nil]
        defer { for text in argv { free(text) } }
        var environment: [UnsafeMutablePointer<CChar>?] = [nil]
        var pid: pid_t = 0
        let error = posix_spawn(&pid, "/usr/bin/python3", &actions, nil, &argv, &environment)
        close(ends[1])
        defer { close(ends[0]) }
        try #require(error == 0)
        var output: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = read(ends[0], &chunk, chunk.count), count > 0 {
            output += chunk[..<count]
        }
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        try #require(status == 0)
        return String(decoding: output, as: UTF8.self)
    }
}
