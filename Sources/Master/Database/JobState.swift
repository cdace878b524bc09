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
}
