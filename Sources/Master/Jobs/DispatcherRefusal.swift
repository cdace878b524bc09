extension Dispatcher {
    /// Why something is not done that was asked for.
    enum Refusal: Error, Equatable, CustomStringConvertible {
        case draining
        case tooManyPending(Int)
        case groupFull(String, most: Int)

        /// One sentence without a full stop.
        var description: String {
            switch self {
            case .draining: "the master is about to stop and takes no new jobs"
            case .tooManyPending(let count): "\(count) jobs are waiting already"
            case .groupFull(let group, let most):
                "\(most) jobs of the concurrency group `\(group)` are waiting already"
            }
        }
    }
}
