/// A value inside of an input: where it is, and in which value it stands.
struct Span {
    /// With what belongs to it alone: an object's member with its key.
    var whole: Range<Int>
    /// The value itself.
    var value: Range<Int>
    /// Index of the span around it; -1 at the top.
    var parent: Int
}

/// A way of writing nested values.
protocol Form {
    /// All values of an input, as far as it can be followed.
    static func spans(_ bytes: [UInt8]) -> [Span]
    /// Values that are at an edge of something.
    static var edges: [[UInt8]] { get }
    /// Takes a value out of what is around it.
    static func remove(_ span: Span, of spans: [Span], from bytes: inout [UInt8])
    /// Puts a copy behind a value.
    static func repeated(_ span: Span, of spans: [Span], with: [UInt8], in bytes: inout [UInt8])
}

/// Changes an input, also with pieces of other inputs.
struct Mutation {
    private var bytes: [UInt8]
    private let others: [[UInt8]]
    /// No input grows beyond this.
    private static let most = 1 << 20

    init(_ bytes: [UInt8], _ others: [[UInt8]]) {
        self.bytes = bytes
        self.others = others
    }

    func changed<F: Form>(_ form: F.Type, _ chance: inout Chance) -> [UInt8] {
        var copy = self
        for _ in 0...chance.below(4) {
            if chance.oneIn(8) {
                copy.disturb(&chance)
            } else {
                copy.restructure(form, &chance)
            }
            if copy.bytes.count > Self.most { return bytes }
        }
        return copy.bytes
    }

    private mutating func restructure<F: Form>(_ form: F.Type, _ chance: inout Chance) {
        let spans = form.spans(bytes)
        guard !spans.isEmpty else { return disturb(&chance) }
        let span = chance.pick(spans)
        switch chance.below(7) {
        case 0: bytes.replaceSubrange(span.value, with: chance.pick(form.edges))
        case 1: form.remove(span, of: spans, from: &bytes)
        case 2:
            let copy = Array(bytes[span.whole])
            for _ in 0...chance.below(chance.oneIn(50) ? 2000 : 2) {
                form.repeated(span, of: spans, with: copy, in: &bytes)
                if bytes.count > Self.most { return }
            }
        case 3:
            let donor = others.isEmpty ? bytes : chance.pick(others)
            let donors = form.spans(donor)
            guard !donors.isEmpty else { return }
            bytes.replaceSubrange(span.value, with: donor[chance.pick(donors).value])
        case 4:
            // The value takes the place of another one of the same input.
            let piece = Array(bytes[span.value])
            bytes.replaceSubrange(chance.pick(spans).value, with: piece)
        case 5:
            // A value within itself: nesting grows.
            let inner = Array(bytes[span.value])
            let outer = span.parent >= 0 ? spans[span.parent].value : span.value
            let around = Array(bytes[outer])
            let at = span.value.lowerBound - outer.lowerBound
            guard at >= 0, at + inner.count <= around.count else { return }
            bytes.replaceSubrange(
                span.value, with: around[..<at] + around + around[(at + inner.count)...])
        default:
            let donor = others.isEmpty ? bytes : chance.pick(others)
            let donors = form.spans(donor)
            guard !donors.isEmpty else { return }
            form.repeated(
                span, of: spans, with: Array(donor[chance.pick(donors).whole]), in: &bytes)
        }
    }

    /// Changes that know nothing of the form.
    private mutating func disturb(_ chance: inout Chance) {
        guard !bytes.isEmpty else {
            bytes = [UInt8(truncatingIfNeeded: chance.next())]
            return
        }
        let at = chance.below(bytes.count)
        switch chance.below(5) {
        case 0: bytes[at] = UInt8(truncatingIfNeeded: chance.next())
        case 1: bytes[at] ^= 1 << UInt8(chance.below(8))
        case 2: bytes.removeSubrange(at..<min(bytes.count, at + 1 + chance.below(16)))
        case 3: bytes.insert(contentsOf: bytes[at..<min(bytes.count, at + 40)], at: at)
        default: bytes.removeSubrange(at...)
        }
    }
}
