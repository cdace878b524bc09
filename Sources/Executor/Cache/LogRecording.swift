internal import PipelineIR

/// Takes the output of an attempt while it comes, to be kept with its result.
///
/// Little output stays in memory and much goes into a file of the store, up to a bound: then only
/// its end is remembered. An attempt that prints nothing costs nothing.
final class LogRecording {
    /// Bytes that are kept of the output of one step, with the marks of its pieces.
    static let mostBytes = 16 << 20
    /// How much of that is the end, when there is more.
    static let tailBytes = 512 << 10
    /// Bytes that are gathered before they are written.
    private static let gathered = 128 << 10

    private let store: ContentStore
    private var log = KeptLog()
    private var tail: KeptLog?
    private var hasher = DigestHasher()
    private var draft: Draft?
    /// Bytes that are in the draft, or would be.
    private var written = 0
    /// Bytes of output that are neither kept nor in `tail`.
    private var leftOut: UInt64 = 0
    private var total: UInt64 = 0
    /// Why the log is not in the store. What it would be is known nevertheless.
    private(set) var problem: CacheError?

    init(_ store: ContentStore) { self.store = store }

    deinit { draft?.discard() }

    /// Adds output without secrets.
    func append(_ stream: LogStream, _ bytes: UnsafeRawBufferPointer) {
        total += UInt64(bytes.count)
        if tail != nil { return addToTail(stream, bytes) }
        let room = Self.mostBytes - Self.tailBytes - written - log.pieces.count
        if bytes.count > room {
            // What is kept of the beginning ends with a line, where one ends there.
            let fits = bytes.prefix(max(0, room))
            let cut = fits.lastIndex(of: 10).map { $0 + 1 } ?? fits.endIndex
            log.append(stream, UnsafeRawBufferPointer(rebasing: bytes[..<cut]))
            tail = KeptLog()
            return addToTail(stream, UnsafeRawBufferPointer(rebasing: bytes[cut...]))
        }
        log.append(stream, bytes)
        if log.pieces.count > Self.gathered { write(log.takeWhole()) }
    }

    private func addToTail(_ stream: LogStream, _ bytes: UnsafeRawBufferPointer) {
        tail?.append(stream, bytes)
        if (tail?.pieces.count ?? 0) > 2 * Self.tailBytes { cutTail() }
    }

    private func cutTail() {
        guard var cut = tail else { return }
        tail = nil
        let before = cut.byteCount
        cut.keepLast(Self.tailBytes)
        leftOut += UInt64(before - cut.byteCount)
        tail = cut
    }

    /// Ends it; `nil` when nothing was printed.
    func finish() -> ContentStore.Blob? {
        if total == 0 { return nil }
        cutTail()
        if var tail {
            if leftOut > 0 {
                let before = tail.byteCount
                tail.beginWithLine()
                leftOut += UInt64(before - tail.byteCount)
                let note = "\(leftOut) of the \(total) bytes that were printed are not kept"
                Array(note.utf8).withUnsafeBytes { log.append(.note, $0) }
            }
            write(log.takeAll())
            log = tail
        }
        if draft == nil, problem == nil, written == 0 { return whole(KeptLog.head + log.takeAll()) }
        write(log.takeAll())
        let blob = ContentStore.Blob(digest: hasher.finalize(), size: Int64(written))
        guard let draft else { return blob }
        self.draft = nil
        do throws(CacheError) {
            try store.add(draft, blob)
        } catch {
            problem = error
        }
        return blob
    }

    private func whole(_ bytes: [UInt8]) -> ContentStore.Blob {
        do throws(CacheError) {
            return try store.insert(bytes)
        } catch {
            problem = error
            return ContentStore.Blob(digest: Digest(of: bytes), size: Int64(bytes.count))
        }
    }

    private func write(_ bytes: [UInt8]) {
        let bytes = written == 0 ? KeptLog.head + bytes : bytes
        written += bytes.count
        hasher.update(bytes)
        if problem != nil { return }
        do throws(CacheError) {
            let open = if let draft { draft } else { try Draft(store) }
            draft = open
            try open.write(bytes)
        } catch {
            draft?.discard()
            draft = nil
            problem = error
        }
    }
}
