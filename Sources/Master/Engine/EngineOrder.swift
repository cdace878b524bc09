internal import Executor
internal import PipelineIR

/// What an engine is asked to do, as `order.json` of the job's folder has it.
struct EngineOrder: Sendable {
    /// Name of the job.
    var job: JobID
    /// Folder of the repository: a mirror.
    var root: String
    /// The commit.
    var revision: String
    /// The danubefile within it.
    var file: String
    /// The pipeline; `nil` where the file has one.
    var pipeline: String?
    /// Why it runs.
    var event: String
    /// The branch, when there is one.
    var branch: String?
    /// Parameters by name.
    var parameters: [String: String]
    /// Folder of the cache.
    var cache: String
    /// Steps that may run at once.
    var slots: Int
    /// Whether steps that name an image run on this machine regardless.
    var allowsHost = false
    /// The slots that all jobs share, and whose share this one takes.
    var sharing: SlotSharing?
    /// Whether its turn in a concurrency group has come: else no plan is run that names one.
    var isGrouped = false
    /// A cache elsewhere, and the file of the token for it.
    var remoteCache: (url: String, token: String?)?
    /// The job of which only what failed runs again.
    var earlier: Earlier?

    /// What became of an earlier job.
    struct Earlier: Sendable {
        var job: JobID
        /// Where its artifacts are.
        var artifacts: String
        /// States by ids of steps.
        var steps: [(id: String, state: JobStep.State)]
    }

    static let name = "order.json"

    /// The file's text.
    func encoded() -> [UInt8] {
        var json = JSONWriter(capacity: 512)
        json.beginObject()
        json.key("job")
        json.string(job.text)
        json.key("root")
        json.string(root)
        json.key("revision")
        json.string(revision)
        json.key("file")
        json.string(file)
        json.key("cache")
        json.string(cache)
        if let pipeline {
            json.key("pipeline")
            json.string(pipeline)
        }
        json.key("event")
        json.string(event)
        if let branch {
            json.key("branch")
            json.string(branch)
        }
        json.key("parameters")
        json.beginObject()
        for (name, value) in parameters.sorted(by: { $0.key < $1.key }) {
            json.key(name)
            json.string(value)
        }
        json.endObject()
        json.key("slots")
        json.integer(slots)
        json.key("host")
        json.bool(allowsHost)
        json.key("secrets")
        json.bool(true)
        if let sharing {
            json.key("sharing")
            json.beginObject()
            json.key("folder")
            json.string(sharing.folder)
            json.key("count")
            json.integer(sharing.count)
            json.key("share")
            json.string(sharing.share)
            json.key("weight")
            json.string("\(sharing.weight)")
            json.endObject()
        }
        json.key("grouped")
        json.bool(isGrouped)
        writeRemoteCache(to: &json)
        if let earlier { earlier.write(to: &json) }
        json.endObject()
        return json.bytes
    }

    private func writeRemoteCache(to json: inout JSONWriter) {
        guard let remoteCache else { return }
        json.key("remote_cache")
        json.string(remoteCache.url)
        json.key("remote_cache_token")
        json.string(remoteCache.token ?? "")
    }
}

extension EngineOrder.Earlier {
    fileprivate func write(to json: inout JSONWriter) {
        json.key("earlier")
        json.beginObject()
        json.key("job")
        json.string(job.text)
        json.key("artifacts")
        json.string(artifacts)
        json.key("steps")
        json.beginObject()
        for step in steps {
            json.key(step.id)
            json.string(step.state.rawValue)
        }
        json.endObject()
        json.endObject()
    }
}
