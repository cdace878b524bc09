internal import PipelineIR

/// Goes over the bytes of a plan in protobuf before anything is decoded or allocated for them.
///
/// It does not recurse. What passes has known fields of the right type only, each at most once
/// unless it is repeated (the decoder would merge them, in quadratic time at worst), nests no
/// deeper and holds no more than a plan may. The encoding is described at
/// https://protobuf.dev/programming-guides/encoding.
struct WireScan {
    private(set) var stepCount = 0
    /// Where a known plan says what was read to make it.
    private(set) var sources: [Range<Int>] = []

    /// Messages inside each other: the plan, a step, a service, a variable, its template, and then
    /// part, operation and template for each operation that `PlanLimits` allows; and a part.
    static let depthLimit = 5 + 3 * PlanLimits.operations + 1

    private struct Open {
        var message: WireMessage
        var end: Int
        /// The fields seen so far that stand once, by number; bit 0 is the choice.
        var seen: UInt32 = 0
        var field = ""
    }
    private let size: Int
    private var offset = 0
    private var valueCount = 0
    private var open: [Open] = []
    private var looksInside = true

    init(_ size: Int) { self.size = size }

    /// Throws the first thing that a plan cannot have. With `isKnown` the bytes are those of a plan
    /// that was checked before: steps are only counted, and sources found.
    mutating func check(_ bytes: [UInt8], isKnown: Bool = false) throws(PlanError) {
        if size > PlanLimits.bytes {
            throw PlanError(.limit, [], "A plan has at most 64 MiB; this has \(size) bytes.")
        }
        looksInside = !isKnown
        try check(bytes.span)
    }

    private mutating func check(_ bytes: Span<UInt8>) throws(PlanError) {
        open = [Open(message: .plan, end: size)]
        try version(bytes)
        while let place = open.last {
            if offset == place.end {
                open.removeLast()
                continue
            }
            let start = offset
            let isSource = try field(bytes, place) == .source
            if isSource, !looksInside { sources.append(start..<offset) }
        }
    }

    /// A plan of another version may have any fields, so the version is looked at first.
    private mutating func version(_ bytes: Span<UInt8>) throws(PlanError) {
        guard size > 1, bytes[0] == 0x08 else {
            throw PlanError(
                .syntax, [], "The plan does not begin with its version.",
                hint: "`danube plan --format proto` writes one.")
        }
        offset = 1
        let version = try varint(bytes, end: size)
        if version != UInt64(Plan.schemaVersion) {
            throw PlanError(
                .version, [.key("version")], "This plan has version \(version) of the format.",
                hint: "This build reads version \(Plan.schemaVersion) only.")
        }
        offset = 0
    }

    /// Goes over a field, or into the message that it holds, which is given.
    @discardableResult
    private mutating func field(
        _ bytes: Span<UInt8>, _ place: Open
    ) throws(PlanError) -> WireMessage? {
        open[open.count - 1].field = ""
        let tag = try varint(bytes, end: place.end)
        let fields = WireMessage.fields[place.message.rawValue]
        let number = Int(truncatingIfNeeded: tag >> 3)
        guard tag >> 3 < UInt64(fields.count), let field = fields[number] else {
            throw error(.schema, "There is no field \(tag >> 3) here.")
        }
        open[open.count - 1].field = field.name
        try count(1)
        if !field.isRepeated {
            let bit: UInt32 = field.isChoice ? 1 : 1 << UInt32(number)
            if place.seen & bit != 0 {
                throw error(
                    .schema, field.isChoice ? "Two fields exclude each other." : "It stands twice.")
            }
            open[open.count - 1].seen |= bit
        }
        switch (tag & 7, field.kind) {
        case (0, .number(let most)): try integer(bytes, most, end: place.end)
        case (1, .double):
            guard place.end - offset >= 8 else { throw truncated() }
            offset += 8
        case (2, .text): offset += try textLength(bytes, end: place.end)
        case (2, .message(let message)):
            try begin(message, bytes, end: place.end)
            return message
        case (2, .number(let most)) where field.isRepeated:
            let length = try length(bytes, end: place.end)
            let end = offset + length
            while offset < end {
                try count(1)
                try integer(bytes, most, end: end)
            }
        default: throw error(.schema, "It has the wire type \(tag & 7), which is not its own.")
        }
        return nil
    }

    private mutating func begin(
        _ message: WireMessage, _ bytes: Span<UInt8>, end: Int
    ) throws(PlanError) {
        let length = try length(bytes, end: end)
        if message == .step {
            stepCount += 1
            if stepCount > PlanLimits.steps {
                throw error(.limit, "A plan has at most \(PlanLimits.steps) steps.")
            }
        }
        if open.count >= Self.depthLimit {
            throw error(
                .limit,
                "More than \(PlanLimits.operations) string operations stand inside each other.")
        }
        try count(message.weight - 1)
        if !looksInside {
            offset += length
            return
        }
        open.append(Open(message: message, end: offset + length))
    }

    private mutating func integer(
        _ bytes: Span<UInt8>, _ most: UInt64, end: Int
    ) throws(PlanError) {
        let value = try varint(bytes, end: end)
        if value > most {
            throw error(.value, "The number \(value) is larger than \(most).")
        }
    }

    private mutating func textLength(_ bytes: Span<UInt8>, end: Int) throws(PlanError) -> Int {
        let length = try length(bytes, end: end)
        if length > PlanLimits.stringBytes {
            throw error(.limit, "A string is longer than 1 MiB.")
        }
        return length
    }

    private mutating func length(_ bytes: Span<UInt8>, end: Int) throws(PlanError) -> Int {
        let length = try varint(bytes, end: end)
        guard length <= UInt64(end - offset) else { throw truncated() }
        return Int(length)
    }

    private mutating func varint(_ bytes: Span<UInt8>, end: Int) throws(PlanError) -> UInt64 {
        if let value = WireReader.varint(bytes, &offset, end: end) { return value }
        if offset >= end { throw truncated() }
        throw error(.syntax, "A number has more than 64 bits.")
    }

    private mutating func count(_ values: Int) throws(PlanError) {
        valueCount += values
        if valueCount > PlanLimits.values {
            throw error(.limit, "A plan has at most \(PlanLimits.values) values.")
        }
    }

    // MARK: Errors

    private func truncated() -> PlanError {
        error(.syntax, "It is longer than what it stands in; the plan may have been cut.")
    }

    /// The path has names of fields, and the index of a step.
    private func error(_ reason: PlanError.Reason, _ message: String) -> PlanError {
        var path: PlanPath = []
        for place in open where !place.field.isEmpty {
            path = path.key(place.field)
            if place.message == .plan, place.field == "steps", stepCount > 0 {
                path = path.at(stepCount - 1)
            }
        }
        return PlanError(reason, path, "\(message) (at byte \(offset))")
    }
}
