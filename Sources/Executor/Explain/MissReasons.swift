internal import PipelineIR

/// Says why a step that is about to run is not in the cache.
final class MissReasons {
    /// What there is to say of a step that no job had.
    static let neverRan = "it never ran before"

    private let finder: WhyFinder
    private let earlier: EarlierSteps

    /// Reads what it needs when it is asked first. Throws when history cannot be read.
    init(
        _ history: History, cache: ActionCache, repository: String, pipeline: String, mode: String,
        job: String
    ) throws {
        finder = WhyFinder(history, cache: cache)
        earlier = try EarlierSteps(
            history, repository: repository, pipeline: pipeline, mode: mode, but: job)
    }

    /// Reasons, one a line.
    func reasons(_ id: String, _ manifest: Manifest) -> [String] {
        guard let known = earlier.last(of: id) else { return [Self.neverRan] }
        let job = known.job.id
        if known.key == manifest.key {
            guard known.state == .succeeded || known.state == .cached else {
                return ["it did not succeed in job \(job), and nothing has changed since"]
            }
            return [
                finder.isNotKept(known)
                    ? "its result of job \(job) was not kept, as inputs changed while it ran"
                    : "its result of job \(job) is not in the cache any more"
            ]
        }
        guard let old = (try? finder.manifest(of: known.key, known.job)) ?? nil else {
            return ["it changed since job \(job), and what it was made of then is forgotten"]
        }
        var lines = ChangeText.lines(Manifest.difference(old, manifest), most: 8)
        if !lines.isEmpty { lines[0] += " since job \(job)" }
        return lines
    }
}
