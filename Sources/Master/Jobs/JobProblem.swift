/// Why a job cannot be run as it was asked for.
enum JobProblem: Error, Equatable, CustomStringConvertible {
    case repository(String, RepositoryAddress.Problem)
    case ref(String)

    /// One sentence without a full stop.
    var description: String {
        switch self {
        case .repository(let text, let problem): "the repository `\(text)` \(problem)"
        case .ref(let text): "`\(text)` is neither a full commit id nor the name of a ref"
        }
    }
}
