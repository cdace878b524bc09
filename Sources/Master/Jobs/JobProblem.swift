/// Why a job cannot be run as it was asked for.
enum JobProblem: Error, Equatable, CustomStringConvertible {
    case repository(String, RepositoryAddress.Problem)
    case ref(String)
    case noPlan

    /// One sentence without a full stop.
    var description: String {
        switch self {
        case .repository(let text, let problem): "the repository `\(text)` \(problem)"
        case .noPlan: "the engine gave no plan"
        case .ref(let text): "`\(text)` is neither a full commit id nor the name of a ref"
        }
    }
}
