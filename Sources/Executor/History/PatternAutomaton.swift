/// Finds many patterns at once in one pass (Aho and Corasick, 1975).
///
/// Most of a log is no beginning of any pattern, so where none has begun, a set of hashes of four
/// bytes decides whether one can begin; only then does the automaton look.
final class PatternAutomaton: Sendable {
    private let nodes: [Node]
    private let rows: [Int32]
    /// Hashes of the first four bytes of all patterns, as a set of bits.
    private let beginnings: [UInt64]

    /// A beginning of patterns. Node 0 is the empty one.
    private struct Node {
        /// The first child; 0 for none. The others are its siblings.
        var child: Int32 = 0
        var sibling: Int32 = 0
        /// The node of the longest proper suffix that is a beginning of a pattern.
        var fallback: Int32 = 0
        /// Where the children are in `rows`, by byte, when they are many; else -1.
        var row: Int32 = -1
        var depth: Int32 = 0
        /// The length of the longest pattern that ends here; 0 for none.
        var longest: Int32 = 0
        var children: UInt16 = 0
        /// The last byte.
        var label: UInt8 = 0
    }

    /// Patterns have at least as many bytes.
    static let leastBytes = 4
    /// A node with more children has a row.
    private static let mostSiblings = 6
    private static let hashBits: UInt32 = 18

    /// - Parameter patterns: each at least four bytes.
    init(_ patterns: some Collection<[UInt8]>) {
        var trie = Trie()
        for pattern in patterns { trie.insert(pattern) }
        trie.link()
        nodes = trie.nodes
        rows = trie.rows
        var beginnings = [UInt64](repeating: 0, count: 1 << Int(Self.hashBits - 6))
        for pattern in patterns {
            let hash = pattern.withUnsafeBytes { Self.hash($0.loadUnaligned(as: UInt32.self)) }
            beginnings[hash >> 6] |= 1 << UInt64(hash & 63)
        }
        self.beginnings = beginnings
    }

    private static func hash(_ bytes: UInt32) -> Int {
        Int((bytes &* 0x9e37_79b1) >> (32 - hashBits))
    }

    /// How many of the last bytes may be the beginning of a pattern.
    func depth(_ state: Int32) -> Int { Int(nodes[Int(state)].depth) }

    /// Goes over a chunk, and tells for each place where patterns end the longest of them.
    func scan(
        _ chunk: UnsafeRawBufferPointer, from start: Int32,
        found: (_ end: Int, _ length: Int) -> Void
    ) -> Int32 {
        guard let bytes = chunk.baseAddress?.assumingMemoryBound(to: UInt8.self) else {
            return start
        }
        return nodes.withUnsafeBufferPointer { nodes in
            rows.withUnsafeBufferPointer { rows in
                beginnings.withUnsafeBufferPointer { beginnings in
                    Walk(nodes: nodes, rows: rows, beginnings: beginnings)
                        .scan(bytes, chunk.count, from: start, found: found)
                }
            }
        }
    }

    /// The automaton's tables without checks, for the inner loop.
    private struct Walk {
        let nodes: UnsafeBufferPointer<Node>
        let rows: UnsafeBufferPointer<Int32>
        let beginnings: UnsafeBufferPointer<UInt64>

        func scan(
            _ bytes: UnsafePointer<UInt8>, _ count: Int, from start: Int32,
            found: (_ end: Int, _ length: Int) -> Void
        ) -> Int32 {
            var state = Int(start)
            var position = 0
            while position < count {
                if state == 0 {
                    position = skip(bytes, position, count)
                    if position == count { break }
                }
                let next = child(of: state, bytes[position])
                if next != 0 {
                    state = next
                    position += 1
                    let length = nodes[state].longest
                    if length > 0 { found(position, Int(length)) }
                } else if state == 0 {
                    position += 1
                } else {
                    state = Int(nodes[state].fallback)
                    let depth = Int(nodes[state].depth)
                    // So short a beginning is looked at again with its hash. That ends: it comes
                    // back here with a shorter one, or goes further than before.
                    if depth < PatternAutomaton.leastBytes, depth <= position {
                        position -= depth
                        state = 0
                    }
                }
            }
            return Int32(state)
        }

        /// The next place where a pattern may begin, judged by four bytes where there are as many.
        private func skip(_ bytes: UnsafePointer<UInt8>, _ start: Int, _ count: Int) -> Int {
            var position = start
            let raw = UnsafeRawPointer(bytes)
            while position + PatternAutomaton.leastBytes <= count {
                let hash = PatternAutomaton.hash(
                    raw.loadUnaligned(fromByteOffset: position, as: UInt32.self))
                if beginnings[hash >> 6] >> UInt64(hash & 63) & 1 != 0 { break }
                position += 1
            }
            return position
        }

        private func child(of state: Int, _ byte: UInt8) -> Int {
            let row = nodes[state].row
            if row >= 0 { return Int(rows[Int(row) + Int(byte)]) }
            var node = Int(nodes[state].child)
            while node != 0, nodes[node].label != byte { node = Int(nodes[node].sibling) }
            return node
        }
    }

    /// The patterns as a tree, while it grows.
    private struct Trie {
        var nodes = [Node()]
        var rows = [Int32](repeating: 0, count: 256)

        init() { nodes[0].row = 0 }

        mutating func insert(_ pattern: [UInt8]) {
            var node = 0
            for byte in pattern {
                let known = find(node, byte)
                node = known != 0 ? known : grow(node, byte)
            }
            nodes[node].longest = nodes[node].depth
        }

        private func find(_ node: Int, _ byte: UInt8) -> Int {
            let row = nodes[node].row
            if row >= 0 { return Int(rows[Int(row) + Int(byte)]) }
            var next = Int(nodes[node].child)
            while next != 0, nodes[next].label != byte { next = Int(nodes[next].sibling) }
            return next
        }

        private mutating func grow(_ node: Int, _ byte: UInt8) -> Int {
            let made = nodes.count
            nodes.append(
                Node(sibling: nodes[node].child, depth: nodes[node].depth + 1, label: byte))
            nodes[node].child = Int32(made)
            nodes[node].children += 1
            if nodes[node].row >= 0 {
                rows[Int(nodes[node].row) + Int(byte)] = Int32(made)
            } else if nodes[node].children > PatternAutomaton.mostSiblings {
                spread(node)
            }
            return made
        }

        private mutating func spread(_ node: Int) {
            let start = rows.count
            nodes[node].row = Int32(start)
            rows.append(contentsOf: repeatElement(0, count: 256))
            var next = Int(nodes[node].child)
            while next != 0 {
                rows[start + Int(nodes[next].label)] = Int32(next)
                next = Int(nodes[next].sibling)
            }
        }

        /// Finds, in order of depth, where to go on when a node has no child for a byte.
        mutating func link() {
            var queue = [0]
            queue.reserveCapacity(nodes.count)
            var taken = 0
            while taken < queue.count {
                let node = queue[taken]
                taken += 1
                var next = Int(nodes[node].child)
                while next != 0 {
                    let byte = nodes[next].label
                    if node != 0 {
                        var suffix = Int(nodes[node].fallback)
                        var target = find(suffix, byte)
                        while target == 0, suffix != 0 {
                            suffix = Int(nodes[suffix].fallback)
                            target = find(suffix, byte)
                        }
                        nodes[next].fallback = Int32(target)
                        if nodes[next].longest == 0 { nodes[next].longest = nodes[target].longest }
                    }
                    queue.append(next)
                    next = Int(nodes[next].sibling)
                }
            }
        }
    }
}
