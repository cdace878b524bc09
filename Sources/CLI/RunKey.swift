import Executor
import PipelineIR

/// What tells one run from another, beside the files.
enum RunKey {
    /// A digest of the plan in protobuf, the folder, the way of running, whether images are left
    /// aside, this machine's tools, and the version of the secrets.
    static func of(
        _ plan: [UInt8], root: String, isInPlace: Bool, allowsHost: Bool, secrets: String
    ) -> Digest {
        var hasher = DigestHasher()
        hasher.update("danube run 3\0\(root)\0\(isInPlace ? "in place" : "isolated")\0")
        hasher.update(allowsHost ? "host\0" : "images\0")
        hasher.update("\(HostFingerprint.current())\0\(secrets)\0\0")
        var start = 0
        for range in sources(plan) {
            plan.withUnsafeBytes { hasher.update(.init(rebasing: $0[start..<range.lowerBound])) }
            start = range.upperBound
        }
        plan.withUnsafeBytes { hasher.update(.init(rebasing: $0[start...])) }
        return hasher.finalize()
    }

    /// The field of a plan that says what was read to make it. What a job writes may be in a folder
    /// that was listed, and changes nothing of what is executed.
    private static let sourcesField: UInt64 = 9

    /// Where a plan in protobuf says what was read, in order. The plan was written by the compiler;
    /// one that is not well formed has none.
    private static func sources(_ plan: [UInt8]) -> [Range<Int>] {
        var found: [Range<Int>] = []
        var at = 0
        while at < plan.count {
            let start = at
            guard let key = varint(plan, &at), let value = varint(plan, &at) else { return [] }
            if key & 7 == 2 {
                guard value <= UInt64(plan.count - at) else { return [] }
                at += Int(value)
            } else if key & 7 != 0 {
                return []
            }
            if key >> 3 == sourcesField { found.append(start..<at) }
        }
        return found
    }

    private static func varint(_ bytes: [UInt8], _ at: inout Int) -> UInt64? {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            guard at < bytes.count else { return nil }
            let byte = bytes[at]
            at += 1
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
        }
        return nil
    }
}
