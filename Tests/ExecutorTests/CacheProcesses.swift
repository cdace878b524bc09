import Glibc
import Testing

/// A process that a test started, ended with it by its own id.
final class Child {
    private var pid: pid_t = 0
    private var output: Int32 = -1

    init(_ arguments: [String]) throws {
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        output = ends[0]
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
        var argv = arguments.map { strdup($0) } + [nil]
        var envp: [UnsafeMutablePointer<CChar>?] = [nil]
        defer { for text in argv { free(text) } }
        let error = posix_spawn(&pid, arguments[0], &actions, nil, &argv, &envp)
        close(ends[1])
        try #require(error == 0)
    }

    /// Waits for a byte of what it prints; `nil` when it has ended.
    func readByte() -> UInt8? {
        var byte: UInt8 = 0
        return read(output, &byte, 1) == 1 ? byte : nil
    }

    func end() {
        guard pid > 0 else { return }
        kill(pid, SIGKILL)
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        pid = 0
        close(output)
    }

    deinit { end() }
}

enum Threads {
    private final class Work {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    /// Runs a function on several threads at once and waits for all of them.
    static func run(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
        var threads: [pthread_t] = []
        for number in 0..<count {
            var thread = pthread_t()
            let work = Unmanaged.passRetained(Work { body(number) })
            let made = pthread_create(
                &thread, nil,
                { argument in
                    if let argument {
                        Unmanaged<Work>.fromOpaque(argument).takeRetainedValue().body()
                    }
                    return nil
                }, work.toOpaque())
            if made == 0 { threads.append(thread) } else { work.release() }
        }
        #expect(threads.count == count)
        for thread in threads { pthread_join(thread, nil) }
    }
}

/// A disk of one mebibyte, mounted for one test.
final class SmallDisk {
    let path: String

    init(in scratch: CacheScratch, options: String = "size=1m") throws {
        try scratch.folder("disk")
        path = scratch.path + "/disk"
        try CacheScratch.run(["/bin/mount", "-t", "tmpfs", "-o", options, "tmpfs", path])
    }

    deinit { _ = try? CacheScratch.run(["/bin/umount", path]) }
}
