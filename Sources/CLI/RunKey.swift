import Compiler
import Executor
import PipelineIR

/// What tells one run from another, beside the files.
enum RunKey {
    /// A digest of the plan in protobuf, the folder, the way of running, whether images are left
    /// aside, this machine's tools, and the version of the secrets. What was read to make the plan
    /// is left out: a job may write into a folder that was listed, and nothing that is executed
    /// changes by that.
    static func of(
        _ plan: [UInt8], root: String, isInPlace: Bool, allowsHost: Bool, secrets: String
    ) -> Digest {
        var hasher = DigestHasher()
        hasher.update("danube run 3\0\(root)\0\(isInPlace ? "in place" : "isolated")\0")
        hasher.update(allowsHost ? "host\0" : "images\0")
        hasher.update("\(HostFingerprint.current())\0\(secrets)\0\0")
        var start = 0
        for range in PlanProto.sources(in: plan) {
            plan.withUnsafeBytes { hasher.update(.init(rebasing: $0[start..<range.lowerBound])) }
            start = range.upperBound
        }
        plan.withUnsafeBytes { hasher.update(.init(rebasing: $0[start...])) }
        return hasher.finalize()
    }
}
