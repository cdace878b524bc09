// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
    // Exclusive access is checked where tests run; the release does not pay for it again.
    .unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release)),
]
let c: [CSetting] = [.unsafeFlags(["-Wall", "-Wextra", "-Werror", "-Wno-c23-extensions"])]
// Linking dominates incremental builds; lld is several times faster than the default linker.
let link: [LinkerSetting] = [.unsafeFlags(["-use-ld=lld"])]

let package = Package(
    name: "danube",
    products: [
        .executable(name: "danube", targets: ["CLI"]),
        .executable(name: "danube-master", targets: ["MasterProgram"]),
        .executable(name: "danube-pybridge", targets: ["PyBridge"]),
        .executable(name: "danube-fuzz", targets: ["Fuzz"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        // Without its traits it needs no Foundation beyond FoundationEssentials.
        .package(
            url: "https://github.com/apple/swift-protobuf", from: "1.39.0", traits: []),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(
            url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
    ],
    targets: [
        .target(
            name: "PipelineIR",
            dependencies: [.product(name: "Crypto", package: "swift-crypto")],
            swiftSettings: strict),
        .target(
            name: "Wire",
            dependencies: [.product(name: "SwiftProtobuf", package: "swift-protobuf")],
            swiftSettings: strict),
        .target(name: "CSandbox", cSettings: c),
        .systemLibrary(
            name: "LibPython", path: "Sources/CPython/library", pkgConfig: "python3-embed"),
        .target(
            name: "CPython", dependencies: ["LibPython"], exclude: ["library"], cSettings: c),
        .target(name: "CGit", cSettings: c),
        .target(name: "CCurl", cSettings: c),
        .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3"),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib"),
        .target(name: "CSchema", cSettings: c),
        .executableTarget(
            name: "PyBridge",
            dependencies: ["CPython", "CSandbox"],
            exclude: ["python"],
            cSettings: c,
            // No Swift in it: it starts without the language's run-time.
            linkerSettings: link + [.unsafeFlags(["-nostartfiles"])]),
        .target(
            name: "Compiler",
            dependencies: [
                "PipelineIR", "Wire", "CSandbox", "CGit",
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            swiftSettings: strict),
        .target(name: "CFiles", cSettings: c),
        .target(
            name: "Executor",
            dependencies: ["PipelineIR", "CSandbox", "CFiles", "CSQLite"],
            swiftSettings: strict),
        .executableTarget(
            name: "CLI",
            dependencies: [
                "PipelineIR", "Compiler", "Executor", "CSandbox", "CSchema", "CCurl",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict,
            linkerSettings: link),
        .target(
            name: "Master",
            dependencies: [
                "PipelineIR", "Compiler", "Executor", "CSandbox", "CCurl", "CFiles", "CSQLite",
                "CZlib",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "MasterProgram", dependencies: ["Master"],
            swiftSettings: strict, linkerSettings: link),
        .testTarget(
            name: "PipelineIRTests", dependencies: ["PipelineIR", "Compiler"],
            swiftSettings: strict, linkerSettings: link),
        .testTarget(
            name: "CompilerTests", dependencies: ["Compiler", "PipelineIR", "Wire", "CSandbox"],
            swiftSettings: strict, linkerSettings: link),
        .testTarget(
            name: "ExecutorTests", dependencies: ["Executor", "PipelineIR", "CSandbox", "CFiles"],
            swiftSettings: strict, linkerSettings: link),
        .executableTarget(
            name: "Fuzz", dependencies: ["Compiler", "PipelineIR"], path: "Tests/Fuzz",
            swiftSettings: strict, linkerSettings: link),
        .testTarget(
            name: "CLITests", dependencies: ["CLI", "Compiler", "Executor", "PipelineIR"],
            swiftSettings: strict, linkerSettings: link),
        .testTarget(
            name: "MasterTests",
            dependencies: ["Master", "CSQLite", "Compiler", "Executor", "PipelineIR"],
            swiftSettings: strict, linkerSettings: link),
        .testTarget(name: "Tidy", swiftSettings: strict, linkerSettings: link),
    ],
    swiftLanguageModes: [.v6]
)
