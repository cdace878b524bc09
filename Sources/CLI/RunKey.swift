import PipelineIR

/// What tells one run from another, beside the files.
enum RunKey {
    /// A digest of the plan in protobuf, the folder and the way of running.
    static func of(_ plan: [UInt8], root: String, isInPlace: Bool) -> Digest {
        var hasher = DigestHasher()
        hasher.update("danube run 1\0\(root)\0\(isInPlace ? "in place" : "isolated")\0")
        hasher.update(plan)
        return hasher.finalize()
    }
}
