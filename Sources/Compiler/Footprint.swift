import PipelineIR

/// What a declared step reads and writes, as globs beneath the workspace.
struct Footprint {
    var inputs: [[Substring]]
    var outputs: [[Substring]]

    init(inputs: [String], outputs: [String]) {
        self.inputs = inputs.map(Self.components)
        self.outputs = outputs.map(Self.components)
    }

    /// The footprint of a step that declares both; nil when it may touch anything.
    init?(_ step: Step) {
        guard let options = step.options, let inputs = options.inputs, let outputs = options.outputs
        else { return nil }
        self.init(inputs: inputs, outputs: outputs)
    }

    private static func components(_ glob: String) -> [Substring] {
        glob.split(separator: "/", omittingEmptySubsequences: true).filter { $0 != "." }
    }

    /// Whether two globs may name the same file; a folder covers what is in it.
    static func overlap(_ a: [Substring], _ b: [Substring]) -> Bool {
        for (x, y) in zip(a, b) {
            if x == "**" || y == "**" { return true }
            if !mayMatch(x, y) { return false }
        }
        // One is the other or a folder around it.
        return true
    }

    /// Whether one path component may match both patterns; unsure means yes.
    private static func mayMatch(_ a: Substring, _ b: Substring) -> Bool {
        let first = a.firstIndex(where: isWild)
        let second = b.firstIndex(where: isWild)
        if first == nil, second == nil { return a == b }
        let headA = a[..<(first ?? a.endIndex)]
        let headB = b[..<(second ?? b.endIndex)]
        guard headA.hasPrefix(headB) || headB.hasPrefix(headA) else { return false }
        let tailA = a[(a.lastIndex(where: isWild).map { a.index(after: $0) } ?? a.startIndex)...]
        let tailB = b[(b.lastIndex(where: isWild).map { b.index(after: $0) } ?? b.startIndex)...]
        return tailA.hasSuffix(tailB) || tailB.hasSuffix(tailA)
    }

    private static func isWild(_ character: Character) -> Bool {
        "*?[]{}".contains(character)
    }
}

/// Footprints of declared steps, found by what they may touch.
///
/// Globs are kept by their first component when it is literal, so that steps on different folders
/// are never compared.
struct FootprintIndex {
    private struct Touch {
        var glob: [Substring]
        var step: Int32
        var writes: Bool
    }

    private var byFolder: [Substring: [Touch]] = [:]
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
        _ glob: [Substring], writes: Bool, into found: inout Set<Int32>, _ comparisons: inout Int
    ) {
        func look(_ touches: [Touch]) {
            if comparisons > Self.comparisonLimit { return }
            comparisons += touches.count
            for touch in touches where writes || touch.writes {
                if !found.contains(touch.step), Footprint.overlap(glob, touch.glob) {
                    found.insert(touch.step)
                }
            }
        }
        look(anywhere)
        if let folder = Self.literalFolder(glob) {
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
        if let folder = Self.literalFolder(touch.glob) {
            byFolder[folder, default: []].append(touch)
        } else {
            anywhere.append(touch)
        }
    }

    private static func literalFolder(_ glob: [Substring]) -> Substring? {
        guard let first = glob.first, !first.contains(where: { "*?[]{}".contains($0) }) else {
            return nil
        }
        return first
    }
}
