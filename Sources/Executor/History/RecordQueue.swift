internal import Glibc

/// Hands records from the thread that runs steps to the one that writes history.
///
/// It has a bound: when the disk is slower than the steps for long, the steps wait.
///
/// SAFETY: Everything that changes is used with `mutex` held; the pointers live as long as it does.
final class RecordQueue: @unchecked Sendable {
    /// What ends the queue.
    struct Ending: Sendable {
        /// How the job ended; `nil` when nobody said.
        var state: JobRecord.State?
        var time: Timestamp
        var logBytes: UInt64 = 0
    }

    static let capacity = 1 << 16
    /// With so many records the writer does not wait for more.
    static let batch = 4096
    private static let waitMilliseconds = 1000
    private static let firstMilliseconds = 100

    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private let freed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var records: [StepRecord] = []
    private var ending: Ending?
    private var isAbandoned = false

    init() {
        pthread_mutex_init(mutex, nil)
        // A clock that jumps must not make the writer wait.
        var monotonic = pthread_condattr_t()
        pthread_condattr_init(&monotonic)
        pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC)
        pthread_cond_init(changed, &monotonic)
        pthread_condattr_destroy(&monotonic)
        pthread_cond_init(freed, nil)
    }

    deinit {
        pthread_cond_destroy(freed)
        pthread_cond_destroy(changed)
        pthread_mutex_destroy(mutex)
        freed.deallocate()
        changed.deallocate()
        mutex.deallocate()
    }

    /// Adds a record. After the end, and after the writer gave up, it is dropped.
    func add(_ record: StepRecord) {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while records.count >= Self.capacity, !isAbandoned { pthread_cond_wait(freed, mutex) }
        guard ending == nil, !isAbandoned else { return }
        records.append(record)
        // The first one wakes the writer, which then waits a while for others.
        if records.count == 1 || records.count == Self.batch { pthread_cond_signal(changed) }
    }

    /// Says that nothing more comes.
    func end(_ ending: Ending) {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        if self.ending == nil { self.ending = ending }
        pthread_cond_signal(changed)
    }

    /// Says that nobody takes records any more.
    func abandon() {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        isAbandoned = true
        records = []
        pthread_cond_broadcast(freed)
    }

    /// Waits for a batch: many records, or some for a while, or the end.
    func take() -> (records: [StepRecord], ending: Ending?) {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while records.isEmpty, ending == nil { pthread_cond_wait(changed, mutex) }
        waitForBatch(milliseconds: Self.waitMilliseconds)
        return takeAll()
    }

    /// What came within a short time, if anything, so that a short job is written at once.
    func takeFirst() -> (records: [StepRecord], ending: Ending?) {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        waitForBatch(milliseconds: Self.firstMilliseconds)
        return takeAll()
    }

    /// With the lock held.
    private func waitForBatch(milliseconds: Int) {
        var deadline = timespec()
        clock_gettime(CLOCK_MONOTONIC, &deadline)
        let nanoseconds = deadline.tv_nsec + milliseconds * 1_000_000
        deadline.tv_sec += nanoseconds / 1_000_000_000
        deadline.tv_nsec = nanoseconds % 1_000_000_000
        while records.count < Self.batch, ending == nil {
            if pthread_cond_timedwait(changed, mutex, &deadline) == ETIMEDOUT { break }
        }
    }

    /// With the lock held.
    private func takeAll() -> (records: [StepRecord], ending: Ending?) {
        let taken = records
        records = []
        pthread_cond_broadcast(freed)
        return (taken, ending)
    }
}
