internal import Glibc
internal import PipelineIR
internal import Synchronization

/// Asks a cache elsewhere for results that this machine's lacks, and sends it those that are made
/// here. Both happen beside the run, on threads of their own.
///
/// What is found is put into this machine's cache, from which it is then taken like any other: each
/// content is checked against its digest, and each path against what the step declares. A cache
/// that fails three times in a row, or that says no, is asked no more in this run.
final class RemoteCache: Sendable {
    private struct State {
        var answers: [StepIndex] = []
        var problem: String?
        var isOff = false
        var failures = 0
        /// Results that were sent.
        var sent = 0
        /// Contents that are known to be there.
        var present: Set<Digest> = []
    }

    private let use: RemoteCacheUse
    private let cache: ActionCache
    private let queue = WorkQueue(mostThreads: mostThreads)
    private let state = Mutex(State())
    private let waking: Int32
    /// Can be read when somebody has an answer.
    let descriptor: Int32

    private static let mostThreads = 8
    private static let mostFailures = 3
    /// The most bytes of the tree of a result.
    private static let mostTreeBytes: Int64 = 256 << 20
    /// So many contents of a result are fetched one after the other.
    private static let batch = 64
    /// How long the end of a run waits for what is being sent, when nothing is finished meanwhile.
    private static let patience: UInt64 = 30_000_000_000

    /// Uses a cache elsewhere beside one of this machine.
    init(_ use: RemoteCacheUse, cache: ActionCache) throws(RunnerError) {
        self.use = use
        self.cache = cache
        let pipe = try Pipe()
        descriptor = pipe.takeReading()
        waking = pipe.takeWriting()
        for end in [descriptor, waking] { _ = fcntl(end, F_SETFL, O_NONBLOCK) }
    }

    deinit {
        close(descriptor)
        close(waking)
    }

    // MARK: Asking

    /// Asks for the result of a step whose outputs are these; `answers` says when that was done.
    /// `false` when nobody is asked.
    func ask(_ key: ActionKey, manifest: Manifest, step: StepIndex, outputs: [Glob]) -> Bool {
        if state.withLock({ $0.isOff }) { return false }
        let fetch = RemoteFetch(
            key: key, manifest: manifest.encoded(), step: step, cover: GlobCover(outputs))
        return queue.add(isAwaited: true) { [self] in begin(fetch) }
    }

    /// The steps for which the answer has come since the last time. The cache of this machine has
    /// what was found.
    func answers() -> [StepIndex] {
        var buffer = [UInt8](repeating: 0, count: 64)
        while read(descriptor, &buffer, buffer.count) > 0 {}
        return state.withLock { state in
            defer { state.answers = [] }
            return state.answers
        }
    }

    /// Why it is not asked any more, once.
    func takeProblem() -> String? {
        state.withLock { state in
            defer { state.problem = nil }
            return state.problem
        }
    }

    /// Where it is, for people.
    var address: String { use.transport.address }

    private func begin(_ fetch: RemoteFetch) {
        do throws(RemoteCacheError) {
            guard let result = try result(fetch) else { return answer(fetch) }
            let missing = result.blobs.filter { !cache.store.contains($0.digest, size: $0.size) }
            if missing.isEmpty { return finish(fetch, result) }
            fetch.begin(result, parts: (missing.count - 1) / Self.batch + 1)
            for start in stride(from: 0, to: missing.count, by: Self.batch) {
                let part = Array(missing[start..<min(start + Self.batch, missing.count)])
                let isTaken = queue.add(isAwaited: true) { [self] in get(part, of: fetch) }
                if !isTaken { get(part, of: fetch) }
            }
        } catch {
            fail(error)
            answer(fetch)
        }
    }

    /// The result that is said to be there, with its tree; `nil` for none that can be used.
    private func result(_ fetch: RemoteFetch) throws(RemoteCacheError) -> ActionResult? {
        guard
            let message = try bytes(.result(fetch.key.digest), most: RemoteResult.mostBytes),
            let found = RemoteResult(encoded: message), found.tree.size <= Self.mostTreeBytes,
            let bytes = try bytes(.content(found.tree.digest), most: found.tree.size),
            Digest(of: bytes) == found.tree.digest, let tree = FileTree(tree: bytes)
        else { return nil }
        guard tree.entries.allSatisfy(fetch.covers) else {
            throw RemoteCacheError(
                "its result of a step has paths that the step does not write", isFinal: true)
        }
        return ActionResult(
            key: fetch.key, outputs: tree, log: found.log, captured: found.captured,
            durationMilliseconds: found.milliseconds, job: found.job, step: found.step,
            created: found.created)
    }

    /// A small content; `nil` when it is not there, or larger.
    private func bytes(
        _ name: RemoteName, most: Int64
    ) throws(RemoteCacheError) -> [UInt8]? {
        let gathered = Mutex<[UInt8]>([])
        let isThere = try use.transport.get(name) { piece in
            gathered.withLock { bytes in
                bytes.append(contentsOf: piece)
                return bytes.count <= most
            }
        }
        state.withLock { $0.failures = 0 }
        let bytes = gathered.withLock { $0 }
        return isThere && bytes.count <= most ? bytes : nil
    }

    private func get(_ part: [ContentStore.Blob], of fetch: RemoteFetch) {
        var isWhole = true
        for blob in part where isWhole && !fetch.hasFailed {
            do throws(RemoteCacheError) {
                isWhole = try get(blob)
            } catch {
                fail(error)
                isWhole = false
            }
            // What a step printed may be gone.
            if !isWhole, blob == fetch.log { isWhole = true }
        }
        guard let (result, isWhole) = fetch.end(isWhole: isWhole) else { return }
        if isWhole { finish(fetch, result) } else { answer(fetch) }
    }

    /// Puts a content into the store of this machine; `false` when it is not there, or is another.
    private func get(_ blob: ContentStore.Blob) throws(RemoteCacheError) -> Bool {
        do {
            let upload = try BlobUpload(to: cache.store)
            let left = Mutex<(bytes: Int64, error: (any Error)?)>((blob.size, nil))
            let isThere = try use.transport.get(.content(blob.digest)) { piece in
                left.withLock { left in
                    left.bytes -= Int64(piece.count)
                    if left.bytes < 0 { return false }
                    do { try upload.add(piece) } catch { left.error = error }
                    return left.error == nil
                }
            }
            state.withLock { $0.failures = 0 }
            let (bytes, problem) = left.withLock { $0 }
            if let problem { throw problem }
            return try isThere && bytes == 0 && upload.finish(as: blob.digest)
        } catch let error as RemoteCacheError {
            throw error
        } catch {
            throw RemoteCacheError("what it gave cannot be kept: \(error)", isFinal: true)
        }
    }

    private func finish(_ fetch: RemoteFetch, _ result: ActionResult) {
        var result = result
        if let log = result.log, !cache.store.contains(log.digest, size: log.size) {
            result.log = nil
        }
        do throws(CacheError) {
            try cache.enqueue(result, manifest: fetch.manifest)
            answer(fetch)
        } catch {
            fail(RemoteCacheError("what it gave cannot be kept: \(error)", isFinal: true))
            answer(fetch)
        }
    }

    private func answer(_ fetch: RemoteFetch) {
        state.withLock { $0.answers.append(fetch.step) }
        var byte: UInt8 = 1
        // A pipe that is full wakes as well.
        write(waking, &byte, 1)
    }

    private func fail(_ error: RemoteCacheError) {
        if error.isRefusal { return }
        let isOff = state.withLock { state in
            state.failures += 1
            guard !state.isOff, error.isFinal || state.failures >= Self.mostFailures else {
                return false
            }
            state.isOff = true
            state.problem = "\(error)"
            return true
        }
        // Whoever is on the way there need not arrive.
        if isOff { use.transport.stop() }
    }

    // MARK: Sending

    /// Sends a result of this machine, whose contents are in its store.
    func offer(_ result: ActionResult) {
        guard use.isFilled, !state.withLock({ $0.isOff }) else { return }
        _ = queue.add(isAwaited: false) { [self] in send(result) }
    }

    private func send(_ result: ActionResult) {
        if state.withLock({ $0.isOff }) { return }
        do throws(RemoteCacheError) {
            let (message, tree) = result.wire()
            for blob in result.blobs { try send(blob) }
            let digest = Digest(of: tree)
            try send(digest) { () throws(RemoteCacheError) in
                try use.transport.put(.content(digest), .bytes(tree))
            }
            // Whoever finds the result finds what it speaks of.
            try use.transport.put(.result(result.key.digest), .bytes(message))
            state.withLock { state in
                state.failures = 0
                state.sent += 1
            }
        } catch {
            fail(error)
        }
    }

    private func send(_ blob: ContentStore.Blob) throws(RemoteCacheError) {
        try send(blob.digest) { () throws(RemoteCacheError) in
            guard let path = cache.store.file(blob) else {
                throw RemoteCacheError("a content has gone meanwhile", isRefusal: true)
            }
            try use.transport.put(.content(blob.digest), .file(path: path, size: blob.size))
        }
    }

    private func send(
        _ digest: Digest, _ put: () throws(RemoteCacheError) -> Void
    ) throws(RemoteCacheError) {
        if state.withLock({ $0.present.contains(digest) }) { return }
        if try !use.transport.has(.content(digest)) { try put() }
        state.withLock { _ = $0.present.insert(digest) }
    }

    /// Waits until everything is sent, for as long as that goes on; `isStopped` says that nobody
    /// wants to wait. What is not sent then is dropped. Gives whether all was sent.
    func finish(isStopped: () -> Bool) -> Bool {
        var sent = -1
        var since = MonotonicClock.now()
        while !isStopped() {
            let now = MonotonicClock.now()
            if queue.waitUntilIdle(now &+ 100_000_000) {
                queue.end()
                return true
            }
            let done = state.withLock { $0.sent &+ $0.present.count }
            if done != sent { (sent, since) = (done, now) }
            if now &- since > Self.patience { break }
        }
        use.transport.stop()
        queue.end()
        return false
    }
}

/// A result that is being fetched.
final class RemoteFetch: Sendable {
    let key: ActionKey
    /// What its key was made of, in the form that is kept.
    let manifest: [UInt8]
    let step: StepIndex
    private let cover: GlobCover
    private let state = Mutex(State())

    private struct State {
        var result: ActionResult?
        /// Parts of its contents that are under way.
        var parts = 0
        var isWhole = true
    }

    init(key: ActionKey, manifest: [UInt8], step: StepIndex, cover: GlobCover) {
        self.key = key
        self.manifest = manifest
        self.step = step
        self.cover = cover
    }

    /// Whether the step could have written an entry.
    func covers(_ entry: FileTree.Entry) -> Bool {
        cover.covers(entry)
            && !entry.path.bytes.split(separator: UInt8(ascii: "/")).contains(Self.git)
    }

    private static let git = ArraySlice(".git".utf8)

    /// Whether what is still under way is of no use.
    var hasFailed: Bool { state.withLock { !$0.isWhole } }

    /// What the step printed.
    var log: ContentStore.Blob? { state.withLock { $0.result?.log } }

    func begin(_ result: ActionResult, parts: Int) {
        state.withLock { $0 = State(result: result, parts: parts) }
    }

    /// Ends a part; with the last one it gives the result, and whether all of it came.
    func end(isWhole: Bool) -> (ActionResult, Bool)? {
        state.withLock { state in
            state.parts -= 1
            if !isWhole { state.isWhole = false }
            guard state.parts == 0, let result = state.result else { return nil }
            return (result, state.isWhole)
        }
    }
}
