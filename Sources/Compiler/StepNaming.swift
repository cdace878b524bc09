import PipelineIR

/// Gives steps their names and stable ids: call path, name, matrix coordinates.
struct StepNaming {
    /// Bytes of all ids.
    private(set) var bytes = 0
    private var used: [String: Int32] = [:]
    private var paths: [Int32: String] = [:]
    /// Steps that were given a name, by where they stand and that name.
    private var given: [Place: [Use]] = [:]

    private struct Place: Hashable {
        var caller: Int32
        var name: String
        var matrix: [Coordinate]
    }

    private struct Use {
        var index: Int32
        var condition: Decisions.Node
    }

    init() {}

    mutating func name(
        _ step: inout Step, given name: String?, index: Int32, frames: [Frame],
        condition: Decisions.Node
    ) {
        step.name = name ?? Self.derived(step.command)
        if let name, step.kind == .run {
            let caller = step.frame.flatMap { frames[$0.int].parent?.value } ?? -1
            given[Place(caller: caller, name: name, matrix: step.matrix), default: []].append(
                Use(index: index, condition: condition))
        }
        let path = step.frame.map { callPath($0, frames) } ?? ""
        var id = path.isEmpty ? Self.slug(step.name) : path + "/" + Self.slug(step.name)
        if !step.matrix.isEmpty {
            let cell = step.matrix.map { "\(Self.slug($0.key))=\(Self.slug($0.value))" }
            id += "[" + cell.joined(separator: ",") + "]"
        }
        let count = (used[id] ?? 0) + 1
        used[id] = count
        step.id = count == 1 ? id : "\(id)~\(count)"
        bytes += step.id.utf8.count
    }

    /// Reports names that two steps of one run would have, for as long as there is time.
    func report(to checks: inout StepChecks, plan: Plan, decisions: inout Decisions) {
        for (place, uses) in given where uses.count > 1 {
            for (position, use) in uses.enumerated().dropFirst() {
                if decisions.lookLate() { return }
                let earlier = uses[..<position].suffix(32).first {
                    !decisions.exclusive($0.condition, use.condition)
                }
                guard let earlier else { continue }
                let line = plan.steps[Int(earlier.index)].frame.map { plan.frames[$0.int].line }
                let frame = plan.steps[Int(use.index)].frame
                let again = line != nil && line == frame.map { plan.frames[$0.int].line }
                checks.report(
                    "DNB301", .error, "Two steps are named `\(place.name)`",
                    hint: again
                        ? "Put what differs in the loop into the name."
                        : "The other is on line \(line ?? 0): name them apart.",
                    frame: frame)
            }
        }
    }

    private mutating func callPath(_ frame: FrameIndex, _ frames: [Frame]) -> String {
        if let known = paths[frame.value] { return known }
        var parts: [String] = []
        var length = 0
        var next: FrameIndex? = frame
        // A path that is too long for an id need not be known to its end.
        while let one = next, length <= PlanLimits.idBytes {
            let function = frames[one.int].function
            if !function.hasPrefix("<") {
                parts.append(Self.slug(function))
                length += parts[parts.count - 1].utf8.count
            }
            next = frames[one.int].parent
        }
        let path = parts.reversed().joined(separator: "/")
        paths[frame.value] = path
        return path
    }

    /// A name made of a command: its first line, shortened.
    static func derived(_ command: Step.Command) -> String {
        var text = ""
        switch command {
        case .script(let template): text = template.described
        case .argv(let arguments):
            text = arguments.map(\.described).joined(separator: " ")
        }
        // Characters are costly to tell apart, and a script may be a megabyte of them.
        let head = text.utf8.drop { $0 == 0x20 || (0x09...0x0D).contains($0) }.prefix(nameBytes)
        let line =
            String(decoding: head, as: UTF8.self).split(whereSeparator: \.isNewline).lazy
            .map { $0.drop(while: \.isWhitespace) }.first { !$0.isEmpty } ?? "step"
        let name = Quantity.line(String(line.prefix(61)))
        return name.count <= 60 ? name : String(name.prefix(59)) + "…"
    }

    /// More of a script is not looked at for its name.
    private static let nameBytes = 8192

    /// Text as a component of an id: no white space, no slash, no control character.
    static func slug(_ text: String) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count)
        for byte in Quantity.line(text).utf8 {
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): bytes.append(byte + 32)
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "+"), 0x80...:
                bytes.append(byte)
            default:
                if bytes.last != UInt8(ascii: "-"), !bytes.isEmpty {
                    bytes.append(UInt8(ascii: "-"))
                }
            }
            if bytes.count >= 80, byte & 0xC0 != 0x80 { break }
        }
        while let last = bytes.last, last == UInt8(ascii: "-") || last == UInt8(ascii: ".") {
            bytes.removeLast()
        }
        while let first = bytes.first, first == UInt8(ascii: ".") { bytes.removeFirst() }
        let found = String(decoding: bytes, as: UTF8.self)
        return found.isEmpty ? "step" : found
    }
}
