internal import Glibc
internal import Synchronization

/// Tells when journals have grown or were given up, on a thread of its own (inotify).
final class JournalWatcher: Sendable {
    private struct State {
        var waiters: [Int32: @Sendable () -> Void] = [:]
        var isClosed = false
    }

    private let descriptor: Int32
    private let state = Mutex(State())
    /// What is missed, as on a file system that reports nothing, is looked for so often.
    private static let patienceMilliseconds: Int32 = 500
    private static let readBytes = 1 << 16
    /// Journals of which each change is told at once.
    private static let few = 8
    private static let pauseMicroseconds: UInt32 = 4000

    /// Begins its thread.
    init() throws(EngineError) {
        descriptor = inotify_init1(Int32(IN_CLOEXEC | IN_NONBLOCK))
        guard descriptor >= 0 else {
            throw .system("watch", path: "journals", errno: errno)
        }
        var thread = pthread_t()
        let context = Unmanaged.passRetained(self)
        let error = pthread_create(
            &thread, nil,
            { context in
                guard let context else { return nil }
                Unmanaged<JournalWatcher>.fromOpaque(context).takeRetainedValue().run()
                return nil
            }, context.toOpaque())
        guard error == 0 else {
            context.release()
            throw .system("make", path: "a thread", errno: error)
        }
        pthread_detach(thread)
    }

    deinit { Glibc.close(descriptor) }

    /// Calls a block whenever a journal may have changed, and gives what ends that.
    func watch(
        _ folder: String, _ changed: @escaping @Sendable () -> Void
    ) throws(EngineError) -> Int32 {
        let path = "\(folder)/\(JournalReader.name)"
        let watch = inotify_add_watch(descriptor, path, UInt32(IN_MODIFY | IN_CLOSE_WRITE))
        guard watch >= 0 else { throw .system("watch", path: path, errno: errno) }
        state.withLock { $0.waiters[watch] = changed }
        return watch
    }

    /// Ends a watch.
    func end(_ watch: Int32) {
        state.withLock { $0.waiters[watch] = nil }
        inotify_rm_watch(descriptor, watch)
    }

    /// Ends the thread soon.
    func stop() { state.withLock { $0.isClosed = true } }

    private func run() {
        let buffer = UnsafeMutableRawBufferPointer.allocate(
            byteCount: Self.readBytes, alignment: MemoryLayout<inotify_event>.alignment)
        defer { buffer.deallocate() }
        var swept = ContinuousClock.now
        while !state.withLock({ $0.isClosed }) {
            if ContinuousClock.now - swept >= .milliseconds(Int(Self.patienceMilliseconds)) {
                swept = .now
                let all = state.withLock { Array($0.waiters.values) }
                for call in all { call() }
            }
            var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            if poll(&entry, 1, Self.patienceMilliseconds) <= 0 { continue }
            // Where much goes on, what comes right after is told with it.
            if state.withLock({ $0.waiters.count }) > Self.few { usleep(Self.pauseMicroseconds) }
            var changed: Set<Int32> = []
            while true {
                let count = read(descriptor, buffer.baseAddress, buffer.count)
                if count <= 0 { break }
                var place = 0
                while place + MemoryLayout<inotify_event>.size <= count {
                    let event = buffer.loadUnaligned(fromByteOffset: place, as: inotify_event.self)
                    changed.insert(event.wd)
                    place += MemoryLayout<inotify_event>.size + Int(event.len)
                }
            }
            let calls = state.withLock { state in changed.compactMap { state.waiters[$0] } }
            for call in calls { call() }
        }
    }
}
