/// What a journal told and the database does not know yet. What changes nothing for anybody is not
/// written at once: a short job is written once, and one of many steps some twenty times a second
/// at most.
struct UntoldRecords {
    private static let patience = Duration.milliseconds(50)
    private var records: [JournalRecording.Record] = []
    private var since: ContinuousClock.Instant?
    private var isUrgent = false
    private var isTimed = false

    /// Adds records to those that wait.
    mutating func add(_ more: [JournalRecording.Record]) {
        guard !more.isEmpty else { return }
        if records.isEmpty { since = .now }
        records += more
        isUrgent =
            isUrgent
            || more.contains {
                switch $0 {
                case .ended, .goesOn: true
                case .planned(_, _, _, let parked): parked != nil
                case .steps: false
                }
            }
    }

    /// Whether it is time to write them.
    var isDue: Bool {
        isUrgent || since.map { ContinuousClock.now - $0 >= Self.patience } ?? false
    }

    /// After how long to ask whether it is time; `nil` where somebody will already.
    mutating func pause() -> Duration? {
        guard let since, !isTimed else { return nil }
        isTimed = true
        return max(.zero, Self.patience - (ContinuousClock.now - since))
    }

    /// Those that are to be written now.
    mutating func take() -> [JournalRecording.Record] {
        defer { self = UntoldRecords() }
        return records
    }
}
