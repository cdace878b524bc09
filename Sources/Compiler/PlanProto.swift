package import PipelineIR
internal import SwiftProtobuf
internal import Wire

/// The protobuf form of plans, `proto/danube/plan/v1/plan.proto`.
///
/// A plan is written in pieces. Protobuf says that messages written one after another are their
/// merge, so the bytes are those of one message, and the messages of a large plan are never in
/// memory all at once. What reads them makes no messages, see `WireReader`.
package enum PlanProto {
    /// Steps in one piece.
    private static let pieceSteps = 256

    /// Whether bytes are meant to be a plan in this form: a plan begins with its version, and
    /// nothing else that people write begins with a backspace.
    package static func isProto(_ bytes: [UInt8]) -> Bool { bytes.first == 0x08 }

    /// Writes a valid plan; equal plans give equal bytes. Throws when it exceeds what readers take.
    package static func encode(_ plan: Plan) throws(PlanError) -> [UInt8] {
        var bytes: [UInt8] = []
        try append(PlanToWire.head(plan), to: &bytes)
        var start = 0
        while start < plan.steps.count {
            let end = min(start + pieceSteps, plan.steps.count)
            var piece = Danube_Plan_V1_Plan()
            piece.steps = plan.steps[start..<end].map(StepToWire.step)
            try append(piece, to: &bytes)
            start = end
        }
        try append(PlanToWire.tail(plan), to: &bytes)
        if bytes.count > PlanLimits.bytes {
            throw PlanError(.limit, [], "A plan has at most 64 MiB; this has \(bytes.count) bytes.")
        }
        // A byte of a valid plan counts less than three values, so a small one needs no look.
        if bytes.count > PlanLimits.values / 3 {
            var scan = WireScan(bytes.count)
            try scan.check(bytes)
        }
        return bytes
    }

    /// Reads a plan: bounded before it is decoded, strict about fields, types and meaning. Throws
    /// the first mistake, with its path. `isKnown` says that these very bytes were written by
    /// `encode` for a plan that was valid, as those of the plan cache were.
    package static func decode(_ bytes: [UInt8], isKnown: Bool = false) throws(PlanError) -> Plan {
        var scan = WireScan(bytes.count)
        try scan.check(bytes, isKnown: isKnown)
        let plan = try PlanFromWire(steps: scan.stepCount).plan(bytes)
        if !isKnown { try plan.validate() }
        return plan
    }

    /// Where a plan that `encode` wrote says what was read to make it, ascending; nothing where it
    /// cannot be read.
    package static func sources(in bytes: [UInt8]) -> [Range<Int>] {
        var scan = WireScan(bytes.count)
        do { try scan.check(bytes, isKnown: true) } catch { return [] }
        return scan.sources
    }

    private static func append(
        _ message: Danube_Plan_V1_Plan, to bytes: inout [UInt8]
    ) throws(PlanError) {
        do {
            let piece: [UInt8] = try message.serializedBytes()
            bytes += piece
        } catch {
            throw PlanError(.limit, [], "The plan cannot be written in protobuf: \(error)")
        }
    }
}
