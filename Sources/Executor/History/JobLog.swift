internal import CSandbox
internal import Glibc
internal import Synchronization

/// The log of one job, while it is written: one file for all steps.
///
/// Frames of all attempts follow each other as they come, so a thousand steps that print a line
/// each cost a few writes, and following a whole job is following one file. The file is locked for
/// as long as the job lives: a log without its last frame, that nobody locks, belongs to a job that
/// was killed. Bytes reach the file when the buffer is full or on `flush`; a kill loses no more.
package final class JobLog: Sendable {
    /// The file.
    package let path: String
    /// What keeps secrets out.
    package let redactor: Redactor
    private let folder: String
    private let state: Mutex<State>

    private struct State {
        var descriptor: Int32
        /// Where in the file `pending` begins.
        var position = UInt64(LogFrame.fileHead.count)
        /// Whether `index` knows all of the file.
        var isIndexed = true
        var pending: [UInt8] = []
        /// The last frame in `pending`, and where its head is.
        var last: (frame: LogFrame, at: Int)?
        var index = LogIndex()
    }

    /// Name of the file in the job's folder.
    package static let fileName = "log"
    /// How much waits in memory before it is written.
    static let bufferBytes = 1 << 18
    /// Output of one stream within this time becomes one frame.
    static let joinMicroseconds: Int64 = 5000
    /// A log that is larger has its index in a file beside it.
    static let indexedBytes: UInt64 = 1 << 20

    /// Makes the log of a new job in its folder, which exists.
    package init(folder: String, redactor: Redactor = .none) throws(LogError) {
        path = "\(folder)/\(Self.fileName)"
        self.folder = folder
        self.redactor = redactor
        // Nobody ever sees the file without its head or its lock.
        let aside = path + ".new"
        let file = open(aside, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { throw Self.problem(errno, path, opening: true) }
        state = Mutex(State(descriptor: file))
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
            throw Self.problem(errno, path, opening: true)
        }
        let error = danube_write_all(file, LogFrame.fileHead, LogFrame.fileHead.count)
        guard error == 0 else { throw Self.problem(-error, path) }
        guard rename(aside, path) == 0 else { throw Self.problem(errno, path, opening: true) }
    }

    /// Goes on with the log of a job whose engine was ended, or makes one. Nobody else may do so:
    /// whoever calls holds the job.
    convenience init(goingOnIn folder: String, redactor: Redactor) throws(LogError) {
        let path = "\(folder)/\(Self.fileName)"
        unlink(path + ".new")
        let file = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW)
        if file < 0, errno == ENOENT {
            try self.init(folder: folder, redactor: redactor)
            return
        }
        guard file >= 0 else { throw Self.problem(errno, path, opening: true) }
        do throws(LogError) {
            let end = try Self.end(of: file, path)
            self.init(folder, redactor, State(descriptor: file, position: end, isIndexed: false))
        } catch {
            Glibc.close(file)
            throw error
        }
    }

    private init(_ folder: String, _ redactor: Redactor, _ state: State) {
        path = "\(folder)/\(Self.fileName)"
        self.folder = folder
        self.redactor = redactor
        self.state = Mutex(state)
    }

    /// Where the last whole frame of a file ends; what follows is cut off, and the file is locked.
    private static func end(of file: Int32, _ path: String) throws(LogError) -> UInt64 {
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else { throw problem(errno, path, opening: true) }
        let size = lseek(file, 0, SEEK_END)
        guard size >= LogFrame.fileHead.count else { throw .notALog(path: path) }
        var place = off_t(LogFrame.fileHead.count)
        var head = [UInt8](repeating: 0, count: LogFrame.headBytes)
        while pread(file, &head, head.count, place) == head.count,
            let frame = head.withUnsafeBytes({ $0.baseAddress.flatMap { LogFrame($0) } })
        {
            let next = place + off_t(LogFrame.headBytes + frame.length)
            if next > size || frame.kind == LogFrame.end { break }
            place = next
        }
        guard ftruncate(file, place) == 0, lseek(file, place, SEEK_SET) == place else {
            throw problem(errno, path)
        }
        return UInt64(place)
    }

    deinit {
        state.withLock { if $0.descriptor >= 0 { Glibc.close($0.descriptor) } }
    }

    /// The writer of one attempt.
    package func writer(_ key: AttemptKey) -> LogWriter { LogWriter(self, key) }

    /// Writes Danube's own words about a step, or about the whole job.
    package func note(step: Int?, attempt: Int = 0, _ text: String, at time: Timestamp)
        throws(LogError)
    {
        let key = AttemptKey(step: step ?? LogFrame.wholeJob, attempt: attempt)
        let bytes = redactor.redact(Array(text.utf8))
        try bytes.withUnsafeBufferPointer { bytes throws(LogError) in
            let raw = UnsafeRawBufferPointer(bytes).prefix(LogFrame.mostBytes)
            let part = UnsafeRawBufferPointer(rebasing: raw)
            try append(part, key, LogStream.note.rawValue, offset: 0, lines: 0, at: time)
        }
    }

    /// Writes what waits in memory into the file. To be called a few times a second.
    package func flush() throws(LogError) {
        try locked { state throws(LogError) in try self.write(&state) }
    }

    /// Ends the log. With `durable` it is on the disk afterwards.
    package func close(durable: Bool, at time: Timestamp) throws(LogError) {
        let nothing = UnsafeRawBufferPointer(start: nil, count: 0)
        let key = AttemptKey(step: LogFrame.wholeJob, attempt: 0)
        try append(nothing, key, LogFrame.end, offset: 0, lines: 0, at: time)
        try locked { state throws(LogError) in
            try self.write(&state)
            if durable, fdatasync(state.descriptor) != 0 { throw Self.problem(errno, self.path) }
            if state.position > Self.indexedBytes, state.isIndexed {
                // It can be made again from the log, so that it is missing is no failure.
                state.index.write(to: self.folder, covering: state.position)
            }
            Glibc.close(state.descriptor)
            state.descriptor = -1
        }
    }

    /// Bytes of the file, with what waits.
    package var byteCount: UInt64 {
        state.withLock { $0.position + UInt64($0.pending.count) }
    }

    /// Whether something waits for `flush`.
    var hasUnwritten: Bool { state.withLock { !$0.pending.isEmpty } }

    /// Whether nothing was added yet.
    package var isEmpty: Bool { byteCount == UInt64(LogFrame.fileHead.count) }

    /// Adds redacted output of an attempt. `offset` and `lines` say what came before it.
    func append(
        _ bytes: UnsafeRawBufferPointer, _ key: AttemptKey, _ kind: UInt8, offset: UInt64,
        lines: Int, at time: Timestamp
    ) throws(LogError) {
        try locked { state throws(LogError) in
            var done = 0
            repeat {
                if state.pending.count >= Self.bufferBytes { try self.write(&state) }
                let count = min(bytes.count - done, LogFrame.mostBytes)
                let part = UnsafeRawBufferPointer(rebasing: bytes[done..<done + count])
                let frame = LogFrame(
                    key: key, kind: kind, length: count, offset: offset + UInt64(done), time: time)
                Self.add(frame, part, lines, &state)
                done += count
            } while done < bytes.count
        }
    }

    private static func add(
        _ frame: LogFrame, _ bytes: UnsafeRawBufferPointer, _ lines: Int, _ state: inout State
    ) {
        let head = LogFrame.headBytes
        if frame.isOutput, let (previous, place) = state.last, case var last = previous,
            last.key == frame.key,
            last.kind == frame.kind, last.length + frame.length <= LogFrame.mostBytes,
            (0..<joinMicroseconds).contains(frame.time.microseconds &- last.time.microseconds)
        {
            last.length += frame.length
            state.pending.append(contentsOf: bytes)
            state.pending.withUnsafeMutableBytes { buffer in
                if let start = buffer.baseAddress { last.encode(into: start + place) }
            }
            state.last = (last, place)
            return
        }
        let place = state.pending.count
        if frame.isOutput {
            state.index.add(frame, lines: lines, position: state.position + UInt64(place))
        }
        state.pending.append(contentsOf: repeatElement(0, count: head))
        state.pending.append(contentsOf: bytes)
        state.pending.withUnsafeMutableBytes { buffer in
            if let start = buffer.baseAddress { frame.encode(into: start + place) }
        }
        state.last = (frame, place)
    }

    private func locked(
        _ body: (inout State) throws(LogError) -> Void
    ) throws(LogError) {
        let result: Result<Void, LogError> = state.withLock { state in
            guard state.descriptor >= 0 else { return .failure(.closed(path: path)) }
            do throws(LogError) {
                return .success(try body(&state))
            } catch {
                return .failure(error)
            }
        }
        try result.get()
    }

    /// Writes all that waits. When that fails the file ends where it ended before.
    private func write(_ state: inout State) throws(LogError) {
        guard !state.pending.isEmpty else { return }
        let error = state.pending.withUnsafeBytes {
            danube_write_all(state.descriptor, $0.baseAddress, $0.count)
        }
        guard error == 0 else {
            ftruncate(state.descriptor, off_t(state.position))
            lseek(state.descriptor, off_t(state.position), SEEK_SET)
            throw Self.problem(-error, path)
        }
        state.position += UInt64(state.pending.count)
        state.pending.removeAll(keepingCapacity: true)
        state.last = nil
    }

    static func problem(_ code: Int32, _ path: String, opening: Bool = false) -> LogError {
        if code == ENOSPC || code == EDQUOT { return .full(path: path) }
        let reason = String(cString: strerror(code))
        return opening
            ? .cannotOpen(path: path, reason: reason) : .io(path: path, reason: reason)
    }
}
