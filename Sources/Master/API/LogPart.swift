internal import Executor

/// A part of a job's log, read at once. It waits for the disk, so no task of the cooperative pool
/// makes one.
struct LogPart: Sendable {
    /// The most bytes of a part: what a reader that stalls holds.
    static let mostBytes = 64 << 10

    /// Output and notes, in their order, each with where the next one begins.
    private(set) var chunks: [(chunk: LogChunk, next: UInt64)] = []
    /// Whether the log has ended, and all of it was read.
    private(set) var hasEnded = false
    /// Whether there may be more at once.
    private(set) var isFull = false

    /// Reads what there is from a place, of one step when that is given; `nil` where there is no
    /// log yet.
    init?(folder: String, from position: UInt64, step: Int?) throws {
        let reader: LogReader
        do {
            reader = try LogReader(folder: folder)
        } catch {
            return nil
        }
        reader.seek(to: position)
        var count = 0
        while count < Self.mostBytes {
            let next = try reader.next { key in
                step == nil || key?.step == step
            }
            guard let next else {
                hasEnded = reader.hasEnded
                return
            }
            count += next.bytes.count + 64
            chunks.append((next, reader.position))
        }
        isFull = true
    }
}
