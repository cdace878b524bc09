internal import Glibc

/// Work for a few threads, in the order in which it comes.
///
/// SAFETY: Everything that changes is used with `mutex` held; the pointers live as long as it does.
final class WorkQueue: @unchecked Sendable {
    typealias Work = @Sendable () -> Void

    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var first: [Work] = []
    private var second: [Work] = []
    /// How much of each was begun.
    private var taken = (first: 0, second: 0)
    private var threads = 0
    private var idle = 0
    private var isEnded = false
    private let mostThreads: Int

    /// Makes threads, at most so many, as there is work for them.
    init(mostThreads: Int) {
        self.mostThreads = mostThreads
        pthread_mutex_init(mutex, nil)
        // A clock that jumps must not make anybody wait.
        var monotonic = pthread_condattr_t()
        pthread_condattr_init(&monotonic)
        pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC)
        pthread_cond_init(changed, &monotonic)
        pthread_condattr_destroy(&monotonic)
    }

    deinit {
        pthread_cond_destroy(changed)
        pthread_mutex_destroy(mutex)
        changed.deallocate()
        mutex.deallocate()
    }

    /// Adds work. What somebody waits for is done before what nobody does. `false` when it will not
    /// be done: after the end, and where there can be no thread.
    func add(isAwaited: Bool, _ work: @escaping Work) -> Bool {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        if isEnded { return false }
        if idle == 0, threads < mostThreads { begin() }
        if threads == 0 { return false }
        if isAwaited { first.append(work) } else { second.append(work) }
        pthread_cond_broadcast(changed)
        return true
    }

    /// Waits until all is done, or the time comes, in nanoseconds of the monotonic clock.
    func waitUntilIdle(_ deadline: UInt64) -> Bool {
        var time = timespec(
            tv_sec: Int(deadline / 1_000_000_000), tv_nsec: Int(deadline % 1_000_000_000))
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while taken.first < first.count || taken.second < second.count || idle < threads {
            if pthread_cond_timedwait(changed, mutex, &time) == ETIMEDOUT { return false }
        }
        return true
    }

    /// Drops what was not begun; what was, is waited for.
    func end() {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        isEnded = true
        first = []
        second = []
        taken = (0, 0)
        pthread_cond_broadcast(changed)
        while threads > 0 { pthread_cond_wait(changed, mutex) }
    }

    /// With the lock held.
    private func begin() {
        var thread = pthread_t()
        let context = Unmanaged.passRetained(self)
        let error = pthread_create(
            &thread, nil,
            { context in
                guard let context else { return nil }
                Unmanaged<WorkQueue>.fromOpaque(context).takeRetainedValue().serve()
                return nil
            }, context.toOpaque())
        if error != 0 { return context.release() }
        pthread_detach(thread)
        threads += 1
    }

    private func serve() {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while !isEnded {
            if let work = next() {
                pthread_mutex_unlock(mutex)
                work()
                pthread_mutex_lock(mutex)
                continue
            }
            idle += 1
            pthread_cond_broadcast(changed)
            pthread_cond_wait(changed, mutex)
            idle -= 1
        }
        threads -= 1
        pthread_cond_broadcast(changed)
    }

    /// With the lock held.
    private func next() -> Work? {
        if taken.first < first.count {
            defer { Self.advance(&first, &taken.first) }
            return first[taken.first]
        }
        if taken.second < second.count {
            defer { Self.advance(&second, &taken.second) }
            return second[taken.second]
        }
        return nil
    }

    /// What was begun is let go of now and then, not each time.
    private static func advance(_ work: inout [Work], _ taken: inout Int) {
        taken += 1
        guard taken == work.count || taken >= 1024 else { return }
        work.removeFirst(taken)
        taken = 0
    }
}
