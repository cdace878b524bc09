/// A node of a plan.
package struct Step: Sendable, Equatable {
    /// What the node does.
    package enum Kind: UInt8, Sendable, CaseIterable {
        case run = 0
        case upload = 1
    }

    /// What a run step executes.
    package enum Command: Sendable, Equatable {
        /// A script for `/bin/sh`, verbatim.
        case script(Template)
        /// A program and its arguments.
        case argv([Template])
    }

    /// Stable id: call path, name, matrix coordinates. Unique in a plan.
    package var id: String
    /// The name.
    package var name: String
    /// The kind.
    package var kind: Kind = .run
    /// Empty script for uploads.
    package var command: Command
    /// Empty means the plan's default image.
    package var image = ""
    /// Sorted by name.
    package var env: [EnvVar] = []
    /// The workdir.
    package var workdir = ""
    /// Absent means always.
    package var condition: ConditionIndex?
    /// A failure ends the job; otherwise it is data for conditions.
    package var fatal = true
    /// The check.
    package var check = true
    /// The capture.
    package var capture = false
    /// The frame.
    package var frame: FrameIndex?
    /// The group.
    package var group: GroupIndex?
    /// Edges to steps that must have ended before: program order, data, condition, `needs=`.
    /// Indices ascend and are smaller than this step's own.
    package var order: [StepIndex] = []
    /// The data.
    package var data: [StepIndex] = []
    /// The conditional.
    package var conditional: [StepIndex] = []
    /// `nil` when `needs` was not given.
    package var needs: [StepIndex]?
    /// Matrix coordinates, sorted by key.
    package var matrix: [Coordinate] = []
    /// Everything that few steps have, kept apart so that many steps stay small.
    package var options: Options?

    /// Creates a step that always runs and ends the job when it fails.
    package init(id: String, name: String, command: Command) {
        self.id = id
        self.name = name
        self.command = command
    }

    /// Settings that few steps have.
    package struct Options: Sendable, Equatable {
        /// Milliseconds; 0 means none given.
        package var timeoutMilliseconds: UInt64 = 0
        /// The retry.
        package var retry: Retry?
        /// The resources.
        package var resources: Resources?
        /// Globs of the files it reads; `nil` when not declared.
        package var inputs: [String]?
        /// Globs of the files it writes; `nil` when not declared.
        package var outputs: [String]?
        /// The cache.
        package var cache: CachePolicy = .auto
        /// The services.
        package var services: [Service] = []
        /// The upload.
        package var upload: Upload?
        /// Creates one from its parts.
        package init() {}
    }

    /// The options, or their defaults.
    package var settings: Options { options ?? Options() }
}

/// When a step's result is kept.
package enum CachePolicy: UInt8, Sendable {
    /// Cached when inputs and outputs are both declared.
    case auto = 0
    case always = 1
    case never = 2
}

/// A variable of a step's environment.
package struct EnvVar: Sendable, Equatable {
    /// The name.
    package var name: String
    /// The value.
    package var value: Template
    /// Creates one from its parts.
    package init(name: String, value: Template) {
        self.name = name
        self.value = value
    }
}

/// One coordinate of a matrix cell.
package struct Coordinate: Sendable, Hashable {
    /// The key.
    package var key: String
    /// The value.
    package var value: String
    /// Creates one from its parts.
    package init(key: String, value: String) {
        self.key = key
        self.value = value
    }
}

/// How a failed step is tried again.
package struct Retry: Sendable, Equatable {
    /// How many times after the first attempt.
    package var attempts: UInt32
    /// The delay milliseconds.
    package var delayMilliseconds: UInt64
    /// Factor on the delay after each attempt.
    package var backoff: Double
    /// Exit codes that are tried again; empty means all but 0.
    package var onCodes: [UInt32]
    /// Creates one from its parts.
    package init(attempts: UInt32, delayMilliseconds: UInt64, backoff: Double, onCodes: [UInt32]) {
        self.attempts = attempts
        self.delayMilliseconds = delayMilliseconds
        self.backoff = backoff
        self.onCodes = onCodes
    }
}

/// What a step needs of a machine; 0 means not given.
package struct Resources: Sendable, Equatable {
    /// The cpu milli.
    package var cpuMilli: UInt64
    /// The memory bytes.
    package var memoryBytes: UInt64
    /// The disk bytes.
    package var diskBytes: UInt64
    /// The gpu.
    package var gpu: UInt32
    /// Creates one from its parts.
    package init(cpuMilli: UInt64, memoryBytes: UInt64, diskBytes: UInt64, gpu: UInt32) {
        self.cpuMilli = cpuMilli
        self.memoryBytes = memoryBytes
        self.diskBytes = diskBytes
        self.gpu = gpu
    }
}

/// A container that runs beside a step.
package struct Service: Sendable, Equatable {
    /// The name.
    package var name: String
    /// The image.
    package var image: String
    /// The env.
    package var env: [EnvVar]
    /// The ports.
    package var ports: [UInt32]
    /// A script that succeeds once the service is ready; empty means none.
    package var ready: Template
    /// The ready timeout milliseconds.
    package var readyTimeoutMilliseconds: UInt64
    /// Creates one from its parts.
    package init(
        name: String, image: String, env: [EnvVar], ports: [UInt32], ready: Template,
        readyTimeoutMilliseconds: UInt64
    ) {
        self.name = name
        self.image = image
        self.env = env
        self.ports = ports
        self.ready = ready
        self.readyTimeoutMilliseconds = readyTimeoutMilliseconds
    }
}

/// Files that a pipeline keeps.
package struct Upload: Sendable, Equatable {
    /// The path.
    package var path: Template
    /// The name.
    package var name: String
    /// The junit.
    package var junit: Bool
    /// Creates one from its parts.
    package init(path: Template, name: String, junit: Bool) {
        self.path = path
        self.name = name
        self.junit = junit
    }
}
