internal import PipelineIR
internal import Wire

/// Makes messages of templates and conditions.
enum TemplateToWire {
    /// A template. It is as deep as its operations, which a valid plan bounds.
    static func template(_ template: Template) -> Danube_Plan_V1_Template {
        var message = Danube_Plan_V1_Template()
        message.parts = template.parts.map(part)
        return message
    }

    private static func part(_ part: Template.Part) -> Danube_Plan_V1_Part {
        var message = Danube_Plan_V1_Part()
        switch part {
        case .literal(let text): message.literal = text
        case .output(let step): message.output = index(step.value)
        case .code(let step): message.code = index(step.value)
        case .secret(let key): message.secret = key
        case .operation(let operation):
            var inner = Danube_Plan_V1_Operation()
            inner.name = operation.name.rawValue
            inner.base = template(operation.base)
            inner.arguments = operation.arguments
            inner.index = operation.index
            inner.limit = operation.limit
            message.operation = inner
        }
        return message
    }

    /// A condition.
    static func condition(_ condition: Condition) -> Danube_Plan_V1_Condition {
        var message = Danube_Plan_V1_Condition()
        switch condition {
        case .code(let step, let ranges):
            var code = Danube_Plan_V1_CodeIn()
            code.step = index(step.value)
            code.ranges = ranges.map { range in
                var message = Danube_Plan_V1_CodeRange()
                message.low = UInt32(range.lowerBound)
                message.high = UInt32(range.upperBound)
                return message
            }
            message.code = code
        case .compare(let comparison, let left, let right):
            var compare = Danube_Plan_V1_Compare()
            compare.operator = comparison.rawValue
            compare.left = template(left)
            compare.right = template(right)
            message.compare = compare
        case .all(let operands): message.all = self.operands(operands)
        case .any(let operands): message.any = self.operands(operands)
        case .not(let operand): message.not = index(operand.value)
        case .ok(let step): message.ok = index(step.value)
        case .defined(let value): message.defined = template(value)
        }
        return message
    }

    /// An index that is there; a valid plan has none below 0.
    static func index(_ value: Int32) -> UInt32 { UInt32(clamping: value) }

    private static func operands(_ operands: [ConditionIndex]) -> Danube_Plan_V1_Operands {
        var message = Danube_Plan_V1_Operands()
        message.conditions = operands.map { index($0.value) }
        return message
    }
}
