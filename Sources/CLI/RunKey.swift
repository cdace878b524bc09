import Executor
import PipelineIR

/// What tells one run from another, beside the files.
enum RunKey {
    /// A digest of the plan in protobuf, the folder, the way of running, this machine's tools, and
    /// the version of the secrets.
    static func of(
        _ plan: [UInt8], root: String, isInPlace: Bool, secrets: String
    ) -> Digest {
        var hasher = DigestHasher()
        hasher.update("danube run 2\0\(root)\0\(isInPlace ? "in place" : "isolated")\0")
        hasher.update("\(HostFingerprint.current())\0\(secrets)\0\0")
        hasher.update(plan)
        return hasher.finalize()
    }
}
