internal import PipelineIR

/// Attempts that wait for one of the slots which several runs share.
struct SharedStarts {
    private let slots: SharedSlots
    private var waiting: [(step: StepIndex, attempt: Int)] = []
    /// Whether a slot may have become free.
    private var isWorthAsking = false
    private var asked: UInt64 = 0

    init(_ slots: SharedSlots) { self.slots = slots }

    /// Whether an attempt waits.
    var isWaiting: Bool { !waiting.isEmpty }

    /// When to ask again though nobody tells; `nil` where somebody does, or nothing waits.
    var wakeAt: UInt64? { isWaiting ? slots.pause.map { asked &+ $0 } : nil }

    /// Somebody told.
    mutating func woken() {
        slots.drain()
        isWorthAsking = true
    }

    /// Has an attempt wait.
    mutating func add(_ step: StepIndex, _ attempt: Int) {
        waiting.append((step, attempt))
        isWorthAsking = true
    }

    /// An attempt waits no more; `false` when it did not.
    mutating func remove(_ step: StepIndex) -> Bool {
        guard let index = waiting.firstIndex(where: { $0.step == step }) else { return false }
        waiting.remove(at: index)
        if waiting.isEmpty { slots.leave() }
        return true
    }

    /// The attempts for which there are slots now, each of which has one.
    mutating func next() -> [(step: StepIndex, attempt: Int)] {
        defer { isWorthAsking = false }
        guard isWaiting else { return [] }
        if !isWorthAsking {
            guard let wakeAt, MonotonicClock.now() >= wakeAt else { return [] }
            asked = MonotonicClock.now()
            guard slots.isUnwatched() else { return [] }
        }
        asked = MonotonicClock.now()
        let count = slots.take(waiting.count)
        defer { waiting.removeFirst(count) }
        return Array(waiting.prefix(count))
    }

    /// Gives back the slot of one that has ended, or could not begin.
    mutating func release() {
        slots.release()
        isWorthAsking = true
    }
}

extension Scheduler {
    /// Shares slots with other runs.
    func share(_ sharing: SlotSharing) throws {
        let slots = try SharedSlots(sharing)
        if slots.descriptor >= 0 { try table.watch(slots.descriptor) }
        self.sharing = SharedStarts(slots)
    }

    /// Starts what there is room for in all runs together.
    func startShared() {
        for (step, attempt) in sharing?.next() ?? [] {
            start(step, attempt)
            // One that could not begin needs none.
            if slots[step] == nil { sharing?.release() }
        }
    }
}
