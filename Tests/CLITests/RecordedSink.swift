@testable import CLI

/// Keeps every write; can be full, as a stopped terminal is.
final class RecordedSink: ByteSink {
    var writes: [[UInt8]] = []
    var isFull = false

    var bytes: [UInt8] { writes.flatMap { $0 } }

    func send(_ bytes: [UInt8]) { writes.append(bytes) }
    func push() -> Bool { !isFull }
    func finish() {}
}
