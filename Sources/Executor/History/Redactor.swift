/// Replaces secrets in what steps print by `***`, in every form of `SecretForms`.
///
/// It is made once for a job and shared; each stream of output has its own state. Time is linear in
/// the output, whatever the output is. What is found does not depend on where chunks are cut.
package struct Redactor: Sendable {
    /// Names of secrets that are too short to be looked for; a person is told.
    package let ignored: [String]
    private let automaton: PatternAutomaton?

    /// What stands in place of a secret.
    package static let mark = Array("***".utf8)
    /// A shorter value is not looked for: it would be found in everything.
    package static let leastBytes = SecretForms.leastBytes
    /// How many bytes the values of all secrets have together, at most.
    package static let mostBytes = 1 << 16

    /// Looks for nothing.
    package static let none = Redactor()

    private init() {
        ignored = []
        automaton = nil
    }

    /// Looks for these values. Values of the same name are all looked for.
    package init(
        secrets: some Collection<(name: String, value: [UInt8])>
    ) throws(LogError) {
        let total = secrets.reduce(0) { $0 + $1.value.count }
        guard total <= Self.mostBytes else {
            throw .secretsTooLarge(bytes: total, most: Self.mostBytes)
        }
        var patterns: Set<[UInt8]> = []
        var ignored: [String] = []
        for secret in secrets {
            let forms = SecretForms(secret.value).patterns
            if forms.isEmpty, !secret.value.isEmpty { ignored.append(secret.name) }
            patterns.formUnion(forms)
        }
        self.ignored = ignored
        automaton = patterns.isEmpty ? nil : PatternAutomaton(patterns)
    }

    /// Whether anything is looked for.
    package var isEmpty: Bool { automaton == nil }

    /// The text with every secret replaced.
    package func redact(_ bytes: [UInt8]) -> [UInt8] {
        var stream = Stream(self)
        var out: [UInt8] = []
        bytes.withUnsafeBytes { stream.append($0, into: &out) }
        stream.finish(into: &out)
        return out
    }

    /// The text with every secret replaced.
    package func redact(_ text: String) -> String {
        isEmpty ? text : String(decoding: redact(Array(text.utf8)), as: UTF8.self)
    }

    /// The state of one stream of output.
    ///
    /// What may be the beginning of a secret is held back until the next bytes tell.
    package struct Stream: Sendable {
        private let automaton: PatternAutomaton?
        private var state: Int32 = 0
        /// The bytes that were taken and not given yet.
        private var held: [UInt8] = []
        /// Parts of `held` that are secret, by offset, in order and apart from each other.
        private var hidden: [Range<Int>] = []
        /// Whether the last thing given was a mark.
        private var marked = false

        /// The beginning of a stream.
        package init(_ redactor: Redactor) { automaton = redactor.automaton }

        /// How many bytes are held back.
        package var heldCount: Int { held.count }

        /// Takes a chunk, and adds what can be told of the stream so far to `out`.
        package mutating func append(_ chunk: UnsafeRawBufferPointer, into out: inout [UInt8]) {
            guard let automaton else {
                out.append(contentsOf: chunk)
                return
            }
            let before = held.count
            var found = hidden
            state = automaton.scan(chunk, from: state) { end, length in
                Self.add(before + end - length..<before + end, to: &found)
            }
            hidden = found
            let ready = before + chunk.count - automaton.depth(state)
            give(ready, chunk, into: &out)
        }

        /// Ends the stream: what was held back is not the beginning of a secret.
        package mutating func finish(into out: inout [UInt8]) {
            give(held.count, UnsafeRawBufferPointer(start: nil, count: 0), into: &out)
            state = 0
            marked = false
        }

        /// Joins a range with those that it touches; it ends after all others.
        private static func add(_ range: Range<Int>, to ranges: inout [Range<Int>]) {
            var lower = range.lowerBound
            while let last = ranges.last, last.upperBound >= lower {
                lower = min(lower, last.lowerBound)
                ranges.removeLast()
            }
            ranges.append(lower..<range.upperBound)
        }

        /// Gives the first `ready` bytes of what is held and the chunk, and holds the rest.
        private mutating func give(
            _ ready: Int, _ chunk: UnsafeRawBufferPointer, into out: inout [UInt8]
        ) {
            var position = 0
            var left: [Range<Int>] = []
            for range in hidden {
                if range.lowerBound < ready {
                    copy(position..<range.lowerBound, chunk, into: &out)
                    if !marked { out.append(contentsOf: Redactor.mark) }
                    marked = true
                    position = min(range.upperBound, ready)
                }
                if range.upperBound > ready {
                    left.append(max(0, range.lowerBound - ready)..<range.upperBound - ready)
                }
            }
            copy(position..<ready, chunk, into: &out)
            let fromChunk = max(0, ready - held.count)
            held.removeFirst(min(ready, held.count))
            held.append(contentsOf: chunk[fromChunk...])
            hidden = left
        }

        private mutating func copy(
            _ range: Range<Int>, _ chunk: UnsafeRawBufferPointer, into out: inout [UInt8]
        ) {
            guard !range.isEmpty else { return }
            marked = false
            let border = held.count
            if range.lowerBound < border {
                out.append(contentsOf: held[range.lowerBound..<min(range.upperBound, border)])
            }
            if range.upperBound > border {
                let part = max(0, range.lowerBound - border)..<range.upperBound - border
                out.append(contentsOf: chunk[part])
            }
        }
    }
}
