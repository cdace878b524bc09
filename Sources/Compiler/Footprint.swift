import PipelineIR

/// What a declared step reads and writes, as globs beneath the workspace.
struct Footprint {
    var inputs: [Glob]
    var outputs: [Glob]

    init(inputs: [String], outputs: [String]) {
        self.inputs = inputs.map(Glob.init)
        self.outputs = outputs.map(Glob.init)
    }

    /// The footprint of a step that declares both; nil when it may touch anything.
    init?(_ step: Step) {
        guard let options = step.options, let inputs = options.inputs, let outputs = options.outputs
        else { return nil }
        self.init(inputs: inputs, outputs: outputs)
    }
}

/// A glob, taken apart once so that many can be compared with each other.
struct Glob {
    /// What a component of the path must begin and end with.
    private struct Component {
        var isDeep: Bool
        var isWild: Bool
        var head: [UInt8]
        /// From its last byte to its first.
        var tail: [UInt8]

        init(_ text: Substring.UTF8View) {
            isDeep = text.elementsEqual("**".utf8)
            let first = text.firstIndex(where: Self.isWild)
            let last = text.lastIndex(where: Self.isWild)
            isWild = first != nil
            head = Array(text[..<(first ?? text.endIndex)])
            tail = text[(last.map { text.index(after: $0) } ?? text.startIndex)...].reversed()
        }

        private static func isWild(_ byte: UInt8) -> Bool {
            switch byte {
            case UInt8(ascii: "*"), UInt8(ascii: "?"), UInt8(ascii: "["), UInt8(ascii: "]"),
                UInt8(ascii: "{"), UInt8(ascii: "}"):
                true
            default: false
            }
        }

        /// Whether one name may match both; unsure means yes.
        func mayMatch(_ other: Component) -> Bool {
            if !isWild, !other.isWild { return head == other.head }
            return Self.agree(head, other.head) && Self.agree(tail, other.tail)
        }

        private static func agree(_ a: [UInt8], _ b: [UInt8]) -> Bool {
            for index in 0..<min(a.count, b.count) where a[index] != b[index] { return false }
            return true
        }
    }

    private let components: [Component]
    /// The first component, when it is literal.
    let folder: [UInt8]?

    init(_ text: String) {
        let parts = text.utf8.split(separator: UInt8(ascii: "/"))
        components = parts.filter { !$0.elementsEqual(".".utf8) }
            .map { Component(Substring($0).utf8) }
        folder = components.first.flatMap { $0.isWild ? nil : $0.head }
    }

    /// Whether two globs may name the same file; a folder covers what is in it.
    func overlaps(_ other: Glob) -> Bool {
        for index in 0..<min(components.count, other.components.count) {
            let mine = components[index]
            let theirs = other.components[index]
            if mine.isDeep || theirs.isDeep { return true }
            if !mine.mayMatch(theirs) { return false }
        }
        // One is the other or a folder around it.
        return true
    }
}

/// Footprints of declared steps, found by what they may touch.
///
/// Globs are kept by their first component when it is literal, so that steps on different folders
/// are never compared.
struct FootprintIndex {
    private struct Touch {
        var glob: Glob
        var step: Int32
        var writes: Bool
    }

    private var byFolder: [[UInt8]: [Touch]] = [:]
    private var anywhere: [Touch] = []

    /// Comparisons of globs that one plan is worth.
    static let comparisonLimit = 5_000_000

    /// Steps whose footprint conflicts: one writes what the other reads or writes. `nil` when
    /// `comparisons` is used up: the step then has to be taken for one that touches anything.
    func conflicts(
        with footprint: Footprint, comparisons: inout Int
    ) -> Set<Int32>? {
        var found: Set<Int32> = []
        for (globs, writes) in [(footprint.inputs, false), (footprint.outputs, true)] {
            for glob in globs {
                collect(glob, writes: writes, into: &found, &comparisons)
                if comparisons > Self.comparisonLimit { return nil }
            }
        }
        return found
    }

    private func collect(
        _ glob: Glob, writes: Bool, into found: inout Set<Int32>, _ comparisons: inout Int
    ) {
        func look(_ touches: [Touch]) {
            if comparisons > Self.comparisonLimit { return }
            comparisons += touches.count
            for touch in touches where writes || touch.writes {
                if !found.contains(touch.step), glob.overlaps(touch.glob) {
                    found.insert(touch.step)
                }
            }
        }
        look(anywhere)
        if let folder = glob.folder {
            look(byFolder[folder] ?? [])
        } else {
            for touches in byFolder.values { look(touches) }
        }
    }

    /// Adds the footprint of a step.
    mutating func insert(_ footprint: Footprint, step: Int32) {
        for glob in footprint.inputs { insert(Touch(glob: glob, step: step, writes: false)) }
        for glob in footprint.outputs { insert(Touch(glob: glob, step: step, writes: true)) }
    }

    private mutating func insert(_ touch: Touch) {
        if let folder = touch.glob.folder {
            byFolder[folder, default: []].append(touch)
        } else {
            anywhere.append(touch)
        }
    }
}
