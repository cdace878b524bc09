/// When failed steps are tried again: a heap by time, and by step among equal times.
struct RetryTimes: Sendable, Equatable {
    private struct Entry: Sendable, Equatable {
        var time: Instant
        var step: Int32

        func isBefore(_ other: Entry) -> Bool { (time, step) < (other.time, other.step) }
    }

    private var heap: [Entry] = []
    /// The steps that really wait; others of the heap are passed over.
    private var times: [Int32: Instant] = [:]
    /// The time for which a `wake` is on its way.
    var commanded: Instant?

    func time(of step: Int32) -> Instant? { times[step] }

    mutating func insert(_ step: Int32, at time: Instant) {
        times[step] = time
        let entry = Entry(time: time, step: step)
        heap.append(entry)
        var index = heap.count - 1
        while index > 0, entry.isBefore(heap[(index - 1) / 2]) {
            heap.swapAt(index, (index - 1) / 2)
            index = (index - 1) / 2
        }
    }

    mutating func remove(_ step: Int32) { times[step] = nil }

    /// A step whose time has come, and does not wait any more.
    mutating func removeFirst(until now: Instant) -> Int32? {
        while let first = current(), first.time <= now {
            pop()
            times[first.step] = nil
            return first.step
        }
        return nil
    }

    /// The next time, unless a `wake` for it or for an earlier one is on its way.
    mutating func nextToCommand() -> Instant? {
        guard let next = current()?.time else { return nil }
        if let commanded, commanded <= next { return nil }
        commanded = next
        return next
    }

    /// The first that still waits.
    private mutating func current() -> Entry? {
        while let first = heap.first {
            if times[first.step] == first.time { return first }
            pop()
        }
        return nil
    }

    private mutating func pop() {
        guard let last = heap.popLast(), !heap.isEmpty else { return }
        heap[0] = last
        var index = 0
        while true {
            var child = 2 * index + 1
            guard child < heap.count else { return }
            if child + 1 < heap.count, heap[child + 1].isBefore(heap[child]) { child += 1 }
            guard heap[child].isBefore(heap[index]) else { return }
            heap.swapAt(index, child)
            index = child
        }
    }
}
