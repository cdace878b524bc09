internal import Glibc

/// Modules of Python's standard library, served to an evaluator that cannot open files.
///
/// Which modules may be imported is decided by the evaluator; here a name only has to stay beneath
/// the library's folder.
package struct StandardLibrary {
    private let root: WorkingTree
    private let tag: String

    /// A module as the evaluator loads it.
    struct Module {
        var bytes: [UInt8]
        /// Whether the bytes are a `.pyc` with its header, else source.
        var isCompiled: Bool
        var isPackage: Bool
    }

    /// Uses a folder that has `os.py`; `tag` is the version as in `__pycache__/os.cpython-311.pyc`.
    package init?(folder: String, tag: String) {
        guard let root = try? WorkingTree(folder), case .file = root.stat("os.py") else {
            return nil
        }
        self.root = root
        self.tag = tag
    }

    /// Finds the library of a Python by its version (`3.11.2`), beneath the first prefix with it.
    package static func find(
        version: String, prefixes: [String] = ["/usr", "/usr/local"]
    ) -> StandardLibrary? {
        let numbers = version.split(separator: ".", omittingEmptySubsequences: false)
        guard numbers.count >= 2, let major = UInt8(numbers[0]), let minor = UInt8(numbers[1])
        else { return nil }
        for prefix in prefixes {
            let folder = "\(prefix)/lib/python\(major).\(minor)"
            if let found = StandardLibrary(folder: folder, tag: "\(major)\(minor)") {
                return found
            }
        }
        return nil
    }

    /// What tells the library of a Python from that of a later build of the same version: it begins
    /// with the version. `nil` when there is none.
    static func stamp(version: String) -> String? {
        guard let found = find(version: version), let time = found.root.timestamp("os.py") else {
            return nil
        }
        return "\(version) \(found.path) \(time.size) \(time.seconds).\(time.nanoseconds)"
    }

    /// The folder it serves from.
    package var path: String { root.path }

    /// A module by its name with `/` for `.`, such as `json/decoder`.
    func module(_ name: String) -> Module? {
        guard Self.isName(name) else { return nil }
        for (stem, isPackage) in [(name + "/__init__", true), (name, false)] {
            guard let source = root.timestamp(stem + ".py") else { continue }
            if let bytes = compiled(stem, source: source) {
                return Module(bytes: bytes, isCompiled: true, isPackage: isPackage)
            }
            guard case .content(let bytes) = root.read(stem + ".py") else { continue }
            return Module(bytes: bytes, isCompiled: false, isPackage: isPackage)
        }
        return nil
    }

    /// The `.pyc` of a module if it was made from its source as that is now: Python compares the
    /// time and size in the header (PEP 552, flags 0) with the source's.
    private func compiled(_ stem: String, source: WorkingTree.Timestamp) -> [UInt8]? {
        let parts = stem.split(separator: "/")
        guard let file = parts.last else { return nil }
        let folder = parts.dropLast().map { $0 + "/" }.joined()
        let path = "\(folder)__pycache__/\(file).cpython-\(tag).pyc"
        guard case .content(let bytes) = root.read(path), bytes.count > 16 else { return nil }
        func word(_ at: Int) -> UInt32 {
            UInt32(bytes[at]) | UInt32(bytes[at + 1]) << 8 | UInt32(bytes[at + 2]) << 16
                | UInt32(bytes[at + 3]) << 24
        }
        guard word(4) == 0,
            word(8) == UInt32(truncatingIfNeeded: source.seconds),
            word(12) == UInt32(truncatingIfNeeded: source.size)
        else { return nil }
        return bytes
    }

    private static func isName(_ name: String) -> Bool {
        let legal = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "/"):
                true
            default: false
            }
        }
        return legal && !name.isEmpty && name.utf8.count <= 256 && SourcePath.isNormal(name)
    }
}
