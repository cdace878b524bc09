/// Where a job is. `success`, `failure`, `timeout` and `cancelled` are terminal: once a job is in
/// one of them it stays.
package enum JobState: String, Sendable, CaseIterable, Codable {
    /// Accepted; waits for its turn.
    case pending
    /// Its source is fetched and its plan compiled.
    case scheduling
    /// Waits for a person, or for its concurrency group.
    case waiting
    /// Its steps run.
    case running
    /// Every step that had to succeed did.
    case success
    /// A step failed, or the job could not be run.
    case failure
    /// It took longer than it may.
    case timeout
    /// Somebody, or a newer job of its group, ended it.
    case cancelled

    /// Whether it never changes again.
    package var isTerminal: Bool {
        switch self {
        case .success, .failure, .timeout, .cancelled: true
        case .pending, .scheduling, .waiting, .running: false
        }
    }

    /// Whether another state may come after it. A job can fail, be cancelled or be out of time
    /// anywhere, and succeeds only after it ran. From `scheduling` it goes back to `pending` when
    /// the master ended meanwhile.
    func canBeFollowed(by next: JobState) -> Bool {
        switch (self, next) {
        case (.success, _), (.failure, _), (.timeout, _), (.cancelled, _): false
        case (_, .failure), (_, .timeout), (_, .cancelled): true
        case (.pending, .scheduling), (.pending, .waiting): true
        case (.scheduling, .pending), (.scheduling, .waiting), (.scheduling, .running): true
        case (.waiting, .pending), (.waiting, .scheduling), (.waiting, .running): true
        case (.running, .waiting), (.running, .success): true
        default: false
        }
    }
}
