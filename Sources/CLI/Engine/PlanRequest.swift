import ArgumentParser
import Glibc

/// A plan that a master asks its host for: the words of `danube plan` come on standard input, each
/// ended by NUL and all by another; the plan goes back the same way, with the exit status as its
/// last byte, which no text has.
enum PlanRequest {
    private static let mostWordBytes = 256 << 10
    /// Longer than any evaluation may take.
    private static let seconds: UInt32 = 120

    /// Reads the words, answers, and ends the process.
    static func serve() -> Never {
        limitTime()
        signal(SIGPIPE, SIG_IGN)
        guard let words = read(), dup2(STDIN_FILENO, STDOUT_FILENO) >= 0 else { _exit(3) }
        var status = answer(words)
        write(STDOUT_FILENO, &status, 1)
        _exit(0)
    }

    private static func answer(_ words: [String]) -> UInt8 {
        do {
            var command = try Danube.parseAsRoot(words)
            try command.run()
            return 0
        } catch let failure as Failure {
            failure.tell()
            return UInt8(truncatingIfNeeded: failure.status)
        } catch {
            Output.err(Danube.fullMessage(for: error))
            return 2
        }
    }

    private static func read() -> [String]? {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 14)
        while !bytes.suffix(2).elementsEqual([0, 0]) {
            let count = Glibc.read(STDIN_FILENO, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0, bytes.count + count <= mostWordBytes else { return nil }
            bytes += buffer[..<count]
        }
        return bytes.dropLast(2).split(separator: 0, omittingEmptySubsequences: false).map {
            String(decoding: $0, as: UTF8.self)
        }
    }

    /// The first process of a namespace hears no signal of its own, so a thread looks at the clock.
    private static func limitTime() {
        var thread = pthread_t()
        let error = pthread_create(
            &thread, nil,
            { _ in
                var left = PlanRequest.seconds
                while left > 0 { left = sleep(left) }
                _exit(4)
            }, nil)
        if error == 0 { pthread_detach(thread) }
    }
}
