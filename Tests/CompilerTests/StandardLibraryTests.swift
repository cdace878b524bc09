import Glibc
import Testing

@testable import Compiler

@Suite struct StandardLibraryTests {
    private let scratch: Scratch
    private let library: StandardLibrary

    init() throws {
        scratch = try Scratch()
        try scratch.write("lib/os.py", "x = 1\n")
        try scratch.write("lib/json/__init__.py", "package")
        try scratch.write("lib/json/decoder.py", "module")
        try scratch.write("lib/json.py", "hidden by the package")
        try scratch.write("secret.py", "outside")
        try scratch.link("lib/away.py", to: "../secret.py")
        library = try #require(StandardLibrary(folder: scratch.path + "/lib", tag: "311"))
    }

    /// Writes the `.pyc` of `os.py` with a header that differs from what its source is now.
    private func compile(flags: UInt8 = 0, time: Int = 0, size: Int = 0) throws -> [UInt8] {
        var status = stat()
        try #require(stat(scratch.path + "/lib/os.py", &status) == 0)
        func word(_ value: Int) -> [UInt8] {
            (0..<4).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
        }
        let bytes =
            [0xA7, 0x0D, 0x0D, 0x0A, flags, 0, 0, 0] + word(status.st_mtim.tv_sec + time)
            + word(Int(status.st_size) + size) + [0x63]
        try scratch.write("lib/__pycache__/os.cpython-311.pyc", bytes)
        return bytes
    }

    private func text(_ name: String) -> String? {
        library.module(name).map { String(decoding: $0.bytes, as: UTF8.self) }
    }

    @Test func `modules and packages are found as Python finds them`() {
        #expect(text("os") == "x = 1\n")
        #expect(library.module("os")?.isPackage == false)
        #expect(text("json") == "package")
        #expect(library.module("json")?.isPackage == true)
        #expect(text("json/decoder") == "module")
    }

    @Test(arguments: [
        "", "/os", "os/", "../secret", "json/../os", "os.py", "x", "away", "a\0", "é",
    ])
    func `other names are absent`(_ name: String) {
        #expect(text(name) == nil)
    }

    @Test func `a compiled module is served only if it is that of its source`() throws {
        let right = try compile()
        #expect(library.module("os")?.isCompiled == true)
        #expect(library.module("os")?.bytes == right)
        for (flags, time, size) in [(1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1)] {
            _ = try compile(flags: UInt8(flags), time: time, size: size)
            #expect(library.module("os")?.isCompiled == false)
        }
        try scratch.write("lib/__pycache__/os.cpython-311.pyc", "short")
        #expect(text("os") == "x = 1\n")
    }

    @Test(arguments: ["", "3", "3.", "x.y", "3.999", "../3.11", "9.99.1"])
    func `a version without a library has none`(_ version: String) {
        #expect(StandardLibrary.find(version: version) == nil)
        #expect(StandardLibrary.stamp(version: version) == nil)
    }
}
