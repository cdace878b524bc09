internal import Glibc
internal import NIOPosix
internal import Synchronization

/// Compiles plans without running them, by `danube plan` in a mirror, which a fork of the warm host
/// does or else the program: the evaluation of what strangers wrote never happens in the master.
/// Few run at once, and few wait.
final class PlanCompiler: Sendable {
    /// Why there is no plan.
    enum Problem: Error, Equatable {
        /// The danubefile has errors, as the compiler tells them.
        case diagnostics(String)
        /// The compiler failed, in its own words.
        case failed(String)
        case tooLong(seconds: Int)
        case tooLarge(bytes: Int)
        case tooManyWaiting(Int)
        case parametersTooLarge(bytes: Int)
    }

    /// What is compiled.
    struct Order: Sendable {
        /// The mirror.
        var folder: String
        var commit: String
        var file: String
        var pipeline: String?
        var event: String
        var branch: String?
        var parameters: [String: String]
    }

    private let program: String
    private let environment: [String]
    private let host: EngineHost
    private let threads: NIOThreadPool
    private let waiting = Mutex(0)

    /// How many are compiled at once.
    static let mostRunning = 2
    private static let mostWaiting = 32
    private static let seconds = 60
    private static let mostBytes = 32 << 20
    /// Linux takes no single argument of more than 128 KiB.
    private static let mostParameterBytes = 64 << 10

    /// - Parameter threads: of which each compiles one plan at a time.
    init(
        program: String, environment: [String], host: EngineHost, threads: NIOThreadPool
    ) {
        self.program = program
        self.host = host
        self.environment = environment
        self.threads = threads
    }

    /// The plan in canonical JSON, and what the compiler says of it.
    func compile(_ order: Order) async throws -> (plan: [UInt8], diagnostics: String) {
        let arguments = try arguments(order)
        let count = waiting.withLock { count in
            if count < Self.mostWaiting { count += 1 }
            return count
        }
        guard count < Self.mostWaiting else { throw Problem.tooManyWaiting(count) }
        defer { waiting.withLock { $0 -= 1 } }
        let child = ChildProgram(
            arguments: arguments, environment: environment, mostBytes: Self.mostBytes)
        let host = host
        let end = try await threads.runIfActive {
            host.plan(child, seconds: Self.seconds) ?? child.run(seconds: Self.seconds)
        }
        switch end {
        case .ended(0, let output, let error):
            guard output.utf8.count < Self.mostBytes else {
                throw Problem.tooLarge(bytes: Self.mostBytes)
            }
            return (Array(output.utf8), error)
        case .ended(2, _, let error): throw Problem.diagnostics(error)
        case .ended(let status, _, let error): throw Problem.failed("status \(status): \(error)")
        case .notStarted(let code): throw Problem.failed(String(cString: strerror(code)))
        case .stopped: throw Problem.failed("it was stopped")
        case .tooLong: throw Problem.tooLong(seconds: Self.seconds)
        }
    }

    private func arguments(_ order: Order) throws(Problem) -> [String] {
        var words = [
            program, "plan", "--format=json", "--color=never", "--directory=\(order.folder)",
            "--rev=\(order.commit)", "--file=\(order.file)", "--event=\(order.event)",
        ]
        if let branch = order.branch { words.append("--branch=\(branch)") }
        for (name, value) in order.parameters.sorted(by: { $0.key < $1.key }) {
            words.append("--param=\(name)=\(value)")
        }
        let bytes = words.reduce(0) { $0 + $1.utf8.count }
        guard bytes <= Self.mostParameterBytes else { throw .parametersTooLarge(bytes: bytes) }
        if let pipeline = order.pipeline { words += ["--", pipeline] }
        return words
    }
}
