internal import PipelineIR

/// One difference between what two results were made of.
package enum ManifestChange: Sendable, Equatable {
    /// A fact that is there in one of them only, or has another value. Kind `inputs` is never among
    /// them: the files are.
    case fact(Manifest.Kind, name: String, old: String?, new: String?)
    /// A path of the inputs that is there in one of them only, or is something else.
    case input(TreePath, old: FileTree.Node?, new: FileTree.Node?)
}

extension Manifest {
    /// What differs, in the order of the facts, then by path. Empty if and only if the keys are
    /// equal.
    ///
    /// - Parameter most: how many changed paths are given at most.
    package static func difference(
        _ old: Manifest, _ new: Manifest, most: Int = .max
    ) -> [ManifestChange] {
        var changes: [ManifestChange] = []
        let before = old.values
        let after = new.values
        for kind in Kind.allCases where kind != .inputs {
            let a = before[kind, default: [:]]
            let b = after[kind, default: [:]]
            for name in Set(a.keys).union(b.keys).sorted(by: Self.precedes) where a[name] != b[name]
            {
                changes.append(
                    .fact(
                        kind, name: Self.text(name), old: a[name].map(text), new: b[name].map(text))
                )
            }
        }
        return changes + FileTree.difference(old.inputs, new.inputs, most: most)
    }

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    /// Shorter numbers first, so that argument 10 comes after argument 9.
    private static func precedes(_ a: [UInt8], _ b: [UInt8]) -> Bool {
        if let x = Int(text(a)), let y = Int(text(b)) { return x < y }
        return a.lexicographicallyPrecedes(b)
    }

    /// Values by kind and name, as bytes: texts that only look alike are different.
    private var values: [Kind: [[UInt8]: [UInt8]]] {
        var values: [Kind: [[UInt8]: [UInt8]]] = [:]
        for fact in facts {
            values[fact.kind, default: [:]][Array(fact.name.utf8)] = Array(fact.value.utf8)
        }
        return values
    }
}

extension FileTree {
    /// What differs between two trees, by path.
    package static func difference(
        _ old: FileTree, _ new: FileTree, most: Int = .max
    ) -> [ManifestChange] {
        var changes: [ManifestChange] = []
        var before = old.entries[...]
        var after = new.entries[...]
        while changes.count < most {
            guard let a = before.first else {
                changes += after.prefix(most - changes.count)
                    .map { .input($0.path, old: nil, new: $0.node) }
                break
            }
            guard let b = after.first else {
                changes += before.prefix(most - changes.count)
                    .map { .input($0.path, old: $0.node, new: nil) }
                break
            }
            if a.path == b.path {
                if a.node != b.node {
                    changes.append(.input(a.path, old: a.node, new: b.node))
                }
                before.removeFirst()
                after.removeFirst()
            } else if a.path < b.path {
                changes.append(.input(a.path, old: a.node, new: nil))
                before.removeFirst()
            } else {
                changes.append(.input(b.path, old: nil, new: b.node))
                after.removeFirst()
            }
        }
        return changes
    }
}
